import { type FileHandle, open } from 'node:fs/promises';
import { Failure } from '../lib/failure.ts';
import { formatSize } from '../lib/text/size.ts';
import { STATE_LIMIT } from '../sync/state/schema.ts';

/** The contents of the archive of a state: a folder, and the state in it, as paths from the current folder. */
interface ExpectedNames {
  readonly folder: string;
  readonly file: string;
}

/** The header of an entry, as far as it matters. */
interface Entry {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, "ustar Interchange Format".
const BLOCK = 512;
const CHECKSUM = { start: 148, end: 156 } as const;
/**
 * GNU tar writes up to five: folder and state, each with times in a header of its own, and one more. The rest is a
 * margin.
 */
const ENTRY_LIMIT = 8;
/**
 * Extended headers: of the next entry, and of all that follow, which GNU tar writes if TAR_OPTIONS of a runner requests
 * them.
 */
const EXTENDED: ReadonlySet<string> = new Set(['x', 'g']);
const EXTENDED_LIMIT = 64 * 1024;
const ABOUT = 'the archive in the cache';
/** tar fills its last record, which has 10 KiB by default and at most 1 MiB. */
const FILLING_LIMIT = 1024 * 1024;
const KINDS: ReadonlyMap<string, string> = new Map([
  ['1', 'the hard link'],
  ['2', 'the symbolic link'],
  ['3', 'the device'],
  ['4', 'the device'],
  ['5', 'the folder'],
  ['6', 'the pipe'],
  ['S', 'the sparse file'],
]);

/**
 * Returns the failure for an archive that another program made: even a broken one of keel-pkg contains no other names.
 */
export function refusedArchive(message: string): Failure<'STATE_UNUSABLE'> {
  return new Failure({
    code: 'STATE_UNUSABLE',
    about: ABOUT,
    message: `${message}, and was refused`,
    hint: 'delete it, and check who can write to the cache of this repository',
  });
}

/** Returns the failure for an archive that was damaged on its way, or that an older version of keel-pkg made. */
export function damagedArchive(message: string, cause?: unknown): Failure<'ARCHIVE_UNREADABLE'> {
  return new Failure({ code: 'ARCHIVE_UNREADABLE', about: ABOUT, message, cause });
}

/**
 * Writes the state in an unpacked tar archive to the file of its expected name, which must not exist, and returns its
 * size in bytes. Nothing else is ever written: the names in the archive are only compared. Throws `STATE_UNUSABLE`,
 * which names what was found, for an archive that contains anything but one folder and one regular file of the expected
 * names, and `ARCHIVE_UNREADABLE` for a damaged one.
 *
 * A program such as `tar -P` would write to any path in the archive that the job may write to. Anyone who can write to
 * the cache could then run a program in the job, next to its passwords.
 */
export async function unpackState(archive: AsyncIterable<Buffer>, expected: ExpectedNames): Promise<number> {
  const pieces = new Pieces(archive);
  const seen = new Set<string>();
  let size: number | undefined;
  for (let count = 1; ; count += 1) {
    const header = await pieces.exactly(BLOCK);
    if (isZero(header)) break;
    if (count > ENTRY_LIMIT) throw refusedArchive(`it contains more than ${ENTRY_LIMIT} entries`);
    const entry = parseHeader(header);
    checkEntry(entry, expected, seen);
    // Extended headers can give names and links, but only to programs that read them.
    if (EXTENDED.has(entry.type)) await pieces.exactly(padded(entry.size));
    if (entry.type === '0') {
      await writeContent(pieces, entry.size, expected.file);
      size = entry.size;
    }
  }
  await expectFilling(pieces);
  if (size === undefined) throw damagedArchive('it contains no state');
  return size;
}

function parseHeader(header: Buffer): Entry {
  const text = (start: number, end: number): string => {
    const field = header.subarray(start, end);
    const zero = field.indexOf(0);
    return field.subarray(0, zero < 0 ? undefined : zero).toString('utf8');
  };
  const sum = header.reduce((total, byte, at) => {
    return total + (at >= CHECKSUM.start && at < CHECKSUM.end ? 0x20 : byte);
  }, 0);
  if (Number.parseInt(text(CHECKSUM.start, CHECKSUM.end), 8) !== sum || text(257, 262) !== 'ustar') {
    throw damagedArchive('it is damaged');
  }
  const [, octal = ''] = /^([0-7]{1,11}) ?$/.exec(text(124, 136)) ?? [];
  const prefix = text(345, 500);
  const type = text(156, 157);
  return {
    name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`,
    type: type === '' ? '0' : type,
    size: octal === '' ? Number.POSITIVE_INFINITY : Number.parseInt(octal, 8),
  };
}

/** Throws if an entry is not part of a state, or was there before. */
function checkEntry({ name, type, size }: Entry, expected: ExpectedNames, seen: Set<string>): void {
  if (EXTENDED.has(type)) {
    if (size > EXTENDED_LIMIT) throw refusedArchive('it contains a header that is far too long');
    return;
  }
  // SQLite would apply a journal before anything is checked: 3.40 deletes the file that the journal names as the main
  // one. keel-pkg up to 1.0.0 saved the journal of a killed run.
  if (name === `${expected.file}-journal`)
    throw damagedArchive('it contains the journal of a killed run, which is not used');
  const isExpected = type === '5' ? name === `${expected.folder}/` : type === '0' && name === expected.file;
  if (!isExpected) {
    const kind = KINDS.get(type) ?? (type === '0' ? 'the file' : `an entry of type ${JSON.stringify(type)},`);
    throw refusedArchive(`it contains ${kind} ${JSON.stringify(name)}, which does not belong in a state`);
  }
  if (seen.has(name)) throw refusedArchive(`it contains ${JSON.stringify(name)} twice`);
  if (size > (type === '5' ? 0 : STATE_LIMIT)) {
    throw refusedArchive(`${JSON.stringify(name)} has ${formatSize(size)}, which is too much for a state`);
  }
  seen.add(name);
}

async function writeContent(pieces: Pieces, size: number, file: string): Promise<void> {
  await using handle: FileHandle = await open(file, 'wx');
  for (let left = size; left > 0; ) {
    const piece = await pieces.some(left);
    await handle.writeFile(piece);
    left -= piece.length;
  }
  await pieces.exactly(padded(size) - size);
}

/** Reads to the end of the archive, where only zeros may follow. */
async function expectFilling(pieces: Pieces): Promise<void> {
  let length = 0;
  for await (const piece of pieces.rest()) {
    length += piece.length;
    if (length > FILLING_LIMIT || !isZero(piece)) throw refusedArchive('it continues after its end');
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** Cuts a stream of bytes into the lengths that its caller requests. */
class Pieces {
  readonly #source: AsyncIterator<Buffer>;
  #left: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Returns at least one byte and at most `length`. Throws at the end. */
  async some(length: number): Promise<Buffer> {
    while (this.#left.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) throw damagedArchive('it is cut off');
      this.#left = next.value;
    }
    const piece = this.#left.subarray(0, length);
    this.#left = this.#left.subarray(piece.length);
    return piece;
  }

  /** Returns exactly `length` bytes. Throws if there are fewer. */
  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const piece = await this.some(left);
      parts.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(parts, length);
  }

  /** Returns what is left, in pieces. */
  async *rest(): AsyncGenerator<Buffer> {
    yield this.#left;
    for (;;) {
      const next = await this.#source.next();
      if (next.done === true) return;
      yield next.value;
    }
  }
}
