import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../../registry/oci/digest.ts';
import { parseTag, type Tag } from '../../registry/oci/reference.ts';
import { digestBytes, digestIn, numberIn, readable, textIn, timeIn, wholeSeconds } from './column.ts';
import { ensureRepository, findRepository, type RepositoryAddress } from './repository-rows.ts';
import { ensureTable, hasTable } from './schema.ts';
import { statement } from './statement.ts';

/** The digest that a tag of a source has, and when it was first seen under that tag. */
export interface Sighting {
  readonly digest: Digest;
  readonly seen: Date;
}

/** More tags than are recorded for any repository. */
const MOST_READ = 20_000;
/** Half of what a state may hold when it is opened. */
const MOST_KEPT = 500_000;

/** Returns what was seen of a source repository, by its tags. */
export function readSightings(
  database: DatabaseSync,
  address: RepositoryAddress,
): ReadonlyMap<Tag, Sighting> {
  const repository = hasTable(database, 'main', 'sighting') ? findRepository(database, address) : undefined;
  if (repository === undefined) return new Map();
  const select = `SELECT tag, digest, seen FROM sighting WHERE repository = ? LIMIT ${MOST_READ}`;
  const rows = statement(database, select).all(repository);
  return new Map(
    readable(rows, (row) => [
      parseTag(textIn(row, 'tag')),
      { digest: digestIn(row, 'digest'), seen: timeIn(row, 'seen') },
    ]),
  );
}

/**
 * Records what was seen of a source repository, replaces earlier records of these tags, and deletes the tags in `gone`.
 */
export function writeSightings(
  database: DatabaseSync,
  address: RepositoryAddress,
  sightings: ReadonlyMap<Tag, Sighting>,
  gone: readonly Tag[],
): void {
  ensureTable(database, 'sighting');
  const repository = ensureRepository(database, address);
  const insert = statement(database, 'INSERT OR REPLACE INTO sighting VALUES (?, ?, ?, ?)');
  for (const [tag, { digest, seen }] of sightings)
    insert.run(repository, tag, digestBytes(digest), wholeSeconds(seen));
  const remove = statement(database, 'DELETE FROM sighting WHERE repository = ? AND tag = ?');
  for (const tag of gone) remove.run(repository, tag);
}

/**
 * Deletes the latest sightings if there are more than half of what a state may hold. A deleted tag is young when it is
 * seen again. The others keep their age, even if a source floods its lists.
 */
export function limitSightings(database: DatabaseSync): void {
  if (!hasTable(database, 'main', 'sighting')) return;
  const row = statement(database, 'SELECT count(*) AS found FROM sighting').get();
  const surplus = (row === undefined ? 0 : numberIn(row, 'found')) - MOST_KEPT;
  if (surplus <= 0) return;
  statement(
    database,
    `DELETE FROM sighting WHERE (repository, tag) IN (SELECT repository, tag FROM sighting ORDER BY seen DESC LIMIT ?)`,
  ).run(surplus);
}
