import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { seconds } from '../../lib/duration.ts';
import { describeFailure } from '../../lib/failure.ts';
import { rollBack } from '../../lib/sqlite.ts';
import { limitHolders } from './blob-rows.ts';
import { ensureTable, hasTable, STATE_LIMIT } from './schema.ts';
import { openStateFile } from './state-file.ts';

/** Repositories and options have other ids in each file, so rows are matched by what these stand for. */
const JOIN = `
INSERT OR IGNORE INTO repository (host, path) SELECT host, path FROM other.repository;
INSERT OR IGNORE INTO content_options (key) SELECT key FROM other.content_options;
CREATE TEMP TABLE same AS
  SELECT theirs.id AS theirs, ours.id AS ours FROM other.repository AS theirs
  JOIN main.repository AS ours ON ours.host = theirs.host AND ours.path = theirs.path;
INSERT INTO main.image
  SELECT destination.ours, tag, source.ours, source_tag, source_digest, pushed_digest, ours.id, bytes, pushed, confirmed
  FROM other.image
  JOIN same AS destination ON destination.theirs = image.destination
  JOIN same AS source ON source.theirs = image.source
  JOIN other.content_options AS theirs ON theirs.id = image.options
  JOIN main.content_options AS ours ON ours.key = theirs.key
  WHERE true
  ON CONFLICT (destination, tag) DO UPDATE SET
    source = excluded.source, source_tag = excluded.source_tag, source_digest = excluded.source_digest,
    pushed_digest = excluded.pushed_digest, options = excluded.options, bytes = excluded.bytes,
    pushed = excluded.pushed, confirmed = excluded.confirmed
  WHERE excluded.confirmed > image.confirmed;
INSERT OR IGNORE INTO main.failure
  SELECT same.ours, tag, code, failed FROM other.failure JOIN same ON same.theirs = failure.destination;
INSERT INTO main.blob
  SELECT digest, same.ours, used_day FROM other.blob JOIN same ON same.theirs = blob.repository
  WHERE true
  ON CONFLICT (digest, repository) DO UPDATE SET used_day = excluded.used_day WHERE excluded.used_day > blob.used_day;
DROP TABLE same;
`;

const JOIN_LEARNT = `
INSERT OR IGNORE INTO main.kubeadm (version, etcd, coredns, pause, origin)
  SELECT version, etcd, coredns, pause, origin FROM other.kubeadm;
`;

/** If both files have the same digest for a tag, the earlier time is kept; if not, the digest that was seen later. */
const JOIN_SIGHTINGS = `
CREATE TEMP TABLE same AS
  SELECT theirs.id AS theirs, ours.id AS ours FROM other.repository AS theirs
  JOIN main.repository AS ours ON ours.host = theirs.host AND ours.path = theirs.path;
INSERT INTO main.sighting
  SELECT same.ours, tag, digest, seen FROM other.sighting JOIN same ON same.theirs = sighting.repository
  WHERE true
  ON CONFLICT (repository, tag) DO UPDATE SET digest = excluded.digest, seen = excluded.seen
  WHERE iif(excluded.digest = sighting.digest, excluded.seen < sighting.seen, excluded.seen > sighting.seen);
DROP TABLE same;
`;

/**
 * Adds the contents of other state files, such as those of shards, to the state in a file. For each tag, it keeps the
 * record that was confirmed last. Runs are not added. Returns how many were added; `onRefused` is called with the
 * reason for each that cannot be used, which is left out. Throws what opening the state in `file` throws.
 */
export function joinStates(
  file: string,
  others: readonly string[],
  onRefused: (reason: string) => void,
): number {
  const warn = onRefused;
  const settings = { now: new Date(), busyTimeout: seconds(2), warn };
  const { database } = openStateFile(file, { ...settings, mode: 'write' });
  try {
    return others.filter((other) => {
      try {
        // Opening ensures that it has the expected tables, and nothing that runs by itself.
        const opened = openStateFile(other, { ...settings, mode: 'read' });
        opened.database.close();
        if (!opened.restored) return false;
        if (statSync(file).size + statSync(other).size > STATE_LIMIT) {
          onRefused('together, they hold more than a state may hold');
          return false;
        }
        add(database, other);
        // Each file may have as many hints as one state.
        limitHolders(database);
        return true;
      } catch (error) {
        onRefused(describeFailure(error));
        return false;
      }
    }).length;
  } finally {
    database.close();
  }
}

function add(database: DatabaseSync, other: string): void {
  database.prepare('ATTACH ? AS other').run(other);
  try {
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(JOIN);
      if (hasTable(database, 'other', 'kubeadm')) {
        ensureTable(database, 'kubeadm');
        database.exec(JOIN_LEARNT);
      }
      if (hasTable(database, 'other', 'sighting')) {
        ensureTable(database, 'sighting');
        database.exec(JOIN_SIGHTINGS);
      }
      database.exec('COMMIT');
    } catch (error) {
      rollBack(database);
      throw error;
    }
  } finally {
    database.exec('DETACH other');
  }
}
