import type { ArchiveEntry } from './entry.ts';

/** Tar is a sequence of records of this many bytes. */
export const RECORD = 512;
/** 1980-01-01: fixed, so that the same entries produce the same bytes; GNU tar warns about 1970. */
const MODIFIED_SECONDS = 315_532_800;
const NAME_LIMIT = 100;
const PREFIX_LIMIT = 155;
/** The smallest size that does not fit in eleven octal digits. */
const OCTAL_SIZE_LIMIT = 8 ** 11;
const TYPE_FLAG = { file: '0', symlink: '2', directory: '5', extended: 'x' } as const;

interface HeaderFields {
  readonly name: string;
  readonly prefix: string;
  readonly mode: number;
  readonly size: number;
  readonly type: keyof typeof TYPE_FLAG;
  readonly target: string;
}

/** Returns how many zero bytes follow content of this size, up to the next record. */
export function paddingAfter(size: number): number {
  return (RECORD - (size % RECORD)) % RECORD;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function ustarRecord(fields: HeaderFields): Buffer {
  const record = Buffer.alloc(RECORD);
  record.write(fields.name, 0, NAME_LIMIT, 'latin1');
  record.write(octal(fields.mode, 7), 100, 'latin1');
  record.write(octal(0, 7), 108, 'latin1');
  record.write(octal(0, 7), 116, 'latin1');
  if (fields.size < OCTAL_SIZE_LIMIT) {
    record.write(octal(fields.size, 11), 124, 'latin1');
  } else {
    // Base 256, for readers that know this older form but not pax (busybox).
    record.writeUInt8(0x80, 124);
    record.writeBigUInt64BE(BigInt(fields.size), 128);
  }
  record.write(octal(MODIFIED_SECONDS, 11), 136, 'latin1');
  record.write('        ', 148, 'latin1');
  record.write(TYPE_FLAG[fields.type], 156, 'latin1');
  record.write(fields.target, 157, NAME_LIMIT, 'latin1');
  record.write('ustar\u000000', 257, 'latin1');
  record.write(fields.prefix, 345, PREFIX_LIMIT, 'latin1');
  const sum = record.reduce((total, byte) => total + byte, 0);
  record.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return record;
}

/** Returns one pax record, `<length> <key>=<value>\n`, whose length includes its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** Returns a path split into ustar's two fields; undefined if only pax can hold it. */
function splitPath(name: string): { name: string; prefix: string } | undefined {
  if (!isAscii(name)) return undefined;
  if (name.length <= NAME_LIMIT) return { name, prefix: '' };
  const slash = name.indexOf('/', name.length - NAME_LIMIT - 1);
  if (slash < 1 || slash > PREFIX_LIMIT || slash === name.length - 1) return undefined;
  return { name: name.slice(slash + 1), prefix: name.slice(0, slash) };
}

/** Returns the name that readers without pax show. */
function fallbackName(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '_').slice(0, NAME_LIMIT);
}

/**
 * Returns the header of an entry: one ustar record, preceded by a pax header if a name is too long for ustar or not
 * ASCII, or if the size is 8 GiB or more (POSIX.1-2024, "pax Interchange Format").
 */
export function entryHeader(entry: ArchiveEntry): Buffer {
  const path = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  const target = entry.kind === 'symlink' ? entry.target : '';
  const size = entry.kind === 'file' ? entry.size : 0;
  const split = splitPath(path);
  const targetFits = isAscii(target) && target.length <= NAME_LIMIT;
  const pax = [
    split === undefined ? paxRecord('path', path) : '',
    targetFits ? '' : paxRecord('linkpath', target),
    size < OCTAL_SIZE_LIMIT ? '' : paxRecord('size', String(size)),
  ].join('');
  const record = ustarRecord({
    ...(split ?? { name: fallbackName(path), prefix: '' }),
    mode: entry.kind === 'symlink' ? 0o777 : entry.mode,
    size,
    type: entry.kind,
    target: targetFits ? target : fallbackName(target),
  });
  if (pax === '') return record;
  const body = Buffer.from(pax);
  const extended = ustarRecord({
    name: fallbackName(`PaxHeaders/${path}`),
    prefix: '',
    mode: 0o644,
    size: body.length,
    type: 'extended',
    target: '',
  });
  return Buffer.concat([extended, body, Buffer.alloc(paddingAfter(body.length)), record]);
}

/** Returns the size in bytes of the tar of these entries. */
export function tarSize(entries: readonly ArchiveEntry[]): number {
  const sizes = entries.map((entry) => {
    const content = entry.kind === 'file' ? entry.size : 0;
    return entryHeader(entry).length + content + paddingAfter(content);
  });
  return sizes.reduce((total, size) => total + size, 2 * RECORD);
}
