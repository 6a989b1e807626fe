import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { Failure, failureCode } from '../../lib/failure.ts';
import { isWrongPath } from '../../lib/file-error.ts';
import { APPLICATION_ID } from './schema.ts';

/** The kind of file at the path of a state file, by its first bytes. */
type FileKind = 'missing' | 'empty' | 'sqlite' | 'bolt' | 'damaged' | 'other';

const SQLITE_MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
// https://github.com/etcd-io/bbolt/blob/main/internal/common/types.go: a meta page is a 16-byte header and this.
const BOLT_MAGIC = Buffer.from([0xed, 0xda, 0x0c, 0xed]);
const BOLT_MAGIC_OFFSETS = [16, 4096 + 16] as const;
const HEAD_LENGTH = 4096 + 20;
// https://www.sqlite.org/fileformat2.html#the_database_header
const APPLICATION_ID_AT = 68;
const WRITE_VERSION_AT = 18;
const PAGE_SIZE_AT = 16;
const PAGE_SIZE = 4096;
const PAGE_TYPE_AT = 100;
const LEAF_PAGE = 13;
const INNER_PAGE = 5;
const CELLS_AT = 108;
/** A state has nine tables at most, and two indexes. */
const CELLS_LIMIT = 64;
/** SQLite only reads files with a later version, and does not write them. */
const LAST_WRITE_VERSION = 2;

/**
 * Returns the kind of file at a path, and changes nothing. A cut-off SQLite header and one of zeroes (after a full
 * disk or a power cut) are `damaged`. Throws `PATH_UNUSABLE` if no state can be at the path, and `STATE_UNUSABLE` if it
 * cannot be read.
 */
export function inspectFile(file: string): FileKind {
  try {
    const status = statSync(file, { throwIfNoEntry: false });
    if (status === undefined) return 'missing';
    if (!status.isFile()) {
      throw new Failure({
        code: 'PATH_UNUSABLE',
        fault: 'usage',
        about: file,
        message: status.isDirectory()
          ? 'the state cannot be kept in a folder'
          : 'this is not an ordinary file',
        hint: 'give --db the path of a file, such as sync.bolt.db',
      });
    }
    return status.size === 0 ? 'empty' : kindOfHead(readHead(file));
  } catch (error) {
    throw error instanceof Failure ? error : unusableFile(file, 'be read', error);
  }
}

/**
 * Returns whether a file is neither a state, of any version, nor a possible remainder of one. Throws what `inspectFile`
 * throws.
 */
export function isForeign(file: string): boolean {
  const kind = inspectFile(file);
  if (kind !== 'sqlite') return kind === 'other';
  const mark = Buffer.alloc(4);
  mark.writeUInt32BE(APPLICATION_ID);
  return !readHead(file)
    .subarray(APPLICATION_ID_AT, APPLICATION_ID_AT + mark.length)
    .equals(mark);
}

/**
 * Returns whether a SQLite file has no more tables than fit on its first page, as a state has. SQLite reads them all
 * before anything else, which takes minutes for half a million. If the first page is not a page, SQLite finds that out.
 */
export function hasSmallSchema(file: string): boolean {
  const head = readHead(file);
  if (head.length < PAGE_SIZE) return true;
  const page = head[PAGE_TYPE_AT];
  if (page !== LEAF_PAGE) return page !== INNER_PAGE;
  const cells = head.readUInt16BE(PAGE_TYPE_AT + 3);
  if (head.readUInt16BE(PAGE_SIZE_AT) !== PAGE_SIZE || cells > CELLS_LIMIT) return false;
  return Array.from({ length: cells }, (_, index) => head.readUInt16BE(CELLS_AT + 2 * index)).every((at) => {
    // The length takes up to two bytes. A longer one belongs to text that continues on other pages.
    const [first = 0xff, second = 0xff] = head.subarray(at, at + 2);
    return first < 0x80 || (second < 0x80 && (first & 0x7f) * 0x80 + second <= PAGE_SIZE - 35);
  });
}

/** Returns the kind of a file that is not empty, by its first 4116 bytes. */
function kindOfHead(head: Buffer): FileKind {
  if (BOLT_MAGIC_OFFSETS.some((at) => head.subarray(at, at + BOLT_MAGIC.length).equals(BOLT_MAGIC)))
    return 'bolt';
  const start = head.subarray(0, SQLITE_MAGIC.length);
  if (start.equals(SQLITE_MAGIC)) {
    return (head[WRITE_VERSION_AT] ?? 0) > LAST_WRITE_VERSION ? 'damaged' : 'sqlite';
  }
  const cutOff = start.equals(SQLITE_MAGIC.subarray(0, head.length));
  return cutOff || start.every((byte) => byte === 0) ? 'damaged' : 'other';
}

/**
 * Returns the failure for a state file on which an operation of the file system failed, possibly because of its path.
 */
export function unusableFile(
  file: string,
  what: string,
  cause: unknown,
  hint = 'check the owner and permissions of the file and its folder, or give --db another path',
): Failure<'STATE_UNUSABLE' | 'PATH_UNUSABLE'> {
  const message = `the state file cannot ${what} (${cause instanceof Error ? cause.message : failureCode(cause)})`;
  if (isWrongPath(cause)) {
    const other = 'give --db another path';
    return new Failure({ code: 'PATH_UNUSABLE', fault: 'usage', about: file, message, hint: other, cause });
  }
  return new Failure({ code: 'STATE_UNUSABLE', about: file, message, hint, cause });
}

function readHead(file: string): Buffer {
  const head = Buffer.alloc(HEAD_LENGTH);
  const descriptor = openSync(file, 'r');
  try {
    return head.subarray(0, readSync(descriptor, head, 0, HEAD_LENGTH, 0));
  } finally {
    closeSync(descriptor);
  }
}
