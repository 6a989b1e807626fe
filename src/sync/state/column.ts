import type { SQLOutputValue } from 'node:sqlite';
import { Failure } from '../../lib/failure.ts';
import { type Digest, digestHex, parseDigest } from '../../registry/oci/digest.ts';

/** One row of a result of node:sqlite. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

function unreadable(column: string): Failure<'STATE_ROW_UNREADABLE'> {
  return new Failure({
    code: 'STATE_ROW_UNREADABLE',
    about: 'state file',
    message: `the column ${column} has an unexpected value`,
  });
}

/** Returns a text of a row. Throws `STATE_ROW_UNREADABLE`. */
export function textIn(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw unreadable(column);
  return value;
}

/** Returns a number of a row. Throws `STATE_ROW_UNREADABLE`. */
export function numberIn(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw unreadable(column);
  return value;
}

/** Returns a point in time that is stored in whole seconds. Throws `STATE_ROW_UNREADABLE`. */
export function timeIn(row: Row, column: string): Date {
  return timeOf(numberIn(row, column) * 1000, column);
}

/** Returns a point in time that is stored in milliseconds. Throws `STATE_ROW_UNREADABLE`. */
export function preciseTimeIn(row: Row, column: string): Date {
  return timeOf(numberIn(row, column), column);
}

function timeOf(milliseconds: number, column: string): Date {
  const time = new Date(milliseconds);
  if (Number.isNaN(time.getTime())) throw unreadable(column);
  return time;
}

/** Returns a digest, which is stored as its bytes: 32 for sha256, 64 for sha512. Throws `DIGEST_MALFORMED`. */
export function digestIn(row: Row, column: string): Digest {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw unreadable(column);
  const algorithm = value.length === 64 ? 'sha512' : 'sha256';
  return parseDigest(`${algorithm}:${Buffer.from(value).toString('hex')}`, 'state file');
}

/** Returns the bytes by which a digest is stored. */
export function digestBytes(digest: Digest): Uint8Array {
  return Buffer.from(digestHex(digest), 'hex');
}

/** Returns a point in time in whole seconds, as every table but `run` stores it. */
export function wholeSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}

/** Returns what `read` makes of the rows, without unreadable rows: the state is a hint, and never stops a run. */
export function readable<T>(rows: readonly Row[], read: (row: Row) => T): T[] {
  return rows.flatMap((row) => {
    try {
      return [read(row)];
    } catch (error) {
      if (error instanceof Failure) return [];
      throw error;
    }
  });
}
