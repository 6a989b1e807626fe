import type { DatabaseSync } from 'node:sqlite';
import { parseTag, type Tag } from '../../registry/oci/reference.ts';
import { readable, textIn, timeIn, wholeSeconds } from './column.ts';
import { findRepository, type RepositoryAddress } from './repository-rows.ts';
import { statement } from './statement.ts';

/** Failures of tags that no later run tried again are dropped after 30 days. */
const KEPT_SECONDS = 30 * 86_400;

/** Failures only decide what comes last, so reading more of them is not worth the time. */
const READ_LIMIT = 20_000;

/** How a tag failed when it was last tried. */
export interface RecordedFailure {
  readonly tag: Tag;
  /** The code of its `Failure`. */
  readonly code: string;
  readonly failed: Date;
}

/** Returns the tags of a destination repository that failed when they were last tried; at most 20,000. */
export function readFailures(
  database: DatabaseSync,
  destination: RepositoryAddress,
): ReadonlyMap<Tag, RecordedFailure> {
  const id = findRepository(database, destination);
  if (id === undefined) return new Map();
  const rows = statement(database, 'SELECT tag, code, failed FROM failure WHERE destination = ? LIMIT ?').all(
    id,
    READ_LIMIT,
  );
  const failures = readable(
    rows,
    (row): RecordedFailure => ({
      tag: parseTag(textIn(row, 'tag')),
      code: textIn(row, 'code'),
      failed: timeIn(row, 'failed'),
    }),
  );
  return new Map(failures.map((failure) => [failure.tag, failure]));
}

/** Records how tags failed, and replaces earlier failures of the same tags. */
export function writeFailures(
  database: DatabaseSync,
  destination: number,
  failures: readonly Omit<RecordedFailure, 'failed'>[],
  now: Date,
): void {
  const insert = statement(database, 'INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?)');
  for (const { tag, code } of failures) insert.run(destination, tag, code, wholeSeconds(now));
}

/** Deletes the failures of tags that now succeeded. */
export function deleteFailures(database: DatabaseSync, destination: number, tags: readonly Tag[]): void {
  const remove = statement(database, 'DELETE FROM failure WHERE destination = ? AND tag = ?');
  for (const tag of tags) remove.run(destination, tag);
}

/** Drops failures of tags that no run has tried for 30 days. */
export function pruneFailures(database: DatabaseSync, now: Date): void {
  statement(database, 'DELETE FROM failure WHERE failed < ?').run(wholeSeconds(now) - KEPT_SECONDS);
}
