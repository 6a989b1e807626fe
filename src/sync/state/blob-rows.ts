import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../../registry/oci/digest.ts';
import { type Host, parseRepository, type Repository } from '../../registry/oci/reference.ts';
import { digestBytes, numberIn, readable, textIn } from './column.ts';
import { statement } from './statement.ts';

const DAY_MILLISECONDS = 86_400_000;
/** Hints unused for this long are dropped. At worst, a dropped hint costs one extra upload. */
const KEPT_DAYS = 90;
/** With 100,000 tags and this many hints, the file has 11 MB. */
const HINT_LIMIT = 50_000;

/** A blob is mounted from one of them. */
const HOLDERS_LIMIT = 1000;

/** Returns the repositories of a host that are believed to hold a blob, the most recently used first; at most 1000. */
export function readHolders(database: DatabaseSync, host: Host, digest: Digest): readonly Repository[] {
  const rows = statement(
    database,
    `SELECT path FROM blob JOIN repository ON repository.id = blob.repository
WHERE blob.digest = ? AND host = ? ORDER BY used_day DESC, path LIMIT ?`,
  ).all(digestBytes(digest), host, HOLDERS_LIMIT);
  return readable(rows, (row) => parseRepository(textIn(row, 'path')));
}

/** Records that a repository held blobs at the time `now`. */
export function writeHolders(
  database: DatabaseSync,
  repository: number,
  digests: readonly Digest[],
  now: Date,
): void {
  const upsert = statement(
    database,
    `INSERT INTO blob VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET used_day = excluded.used_day WHERE used_day <> excluded.used_day`,
  );
  for (const digest of digests) upsert.run(digestBytes(digest), repository, dayOf(now));
}

/** Deletes the hint that a repository holds a blob. */
export function deleteHolder(database: DatabaseSync, repository: number, digest: Digest): void {
  statement(database, 'DELETE FROM blob WHERE digest = ? AND repository = ?').run(
    digestBytes(digest),
    repository,
  );
}

/** Drops hints that were unused for 90 days, then the least recently used ones beyond `limit`. */
export function pruneHolders(database: DatabaseSync, now: Date, limit: number = HINT_LIMIT): void {
  statement(database, 'DELETE FROM blob WHERE used_day < ?').run(dayOf(now) - KEPT_DAYS);
  limitHolders(database, limit);
}

/** Drops the least recently used hints beyond `limit`. */
export function limitHolders(database: DatabaseSync, limit: number = HINT_LIMIT): void {
  const row = statement(database, 'SELECT count(*) AS hints FROM blob').get();
  const count = row === undefined ? 0 : numberIn(row, 'hints');
  if (count <= limit) return;
  statement(
    database,
    `DELETE FROM blob WHERE (digest, repository) IN
  (SELECT digest, repository FROM blob ORDER BY used_day, digest, repository LIMIT ?)`,
  ).run(count - limit);
}

function dayOf(time: Date): number {
  return Math.floor(time.getTime() / DAY_MILLISECONDS);
}
