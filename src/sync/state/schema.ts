import type { DatabaseSync } from 'node:sqlite';
import { rollBack } from '../../lib/sqlite.ts';

/** Marks a SQLite file as a state of keel-pkg: "keel" in ASCII. */
export const APPLICATION_ID = 0x6b65656c;
/** Increased whenever the tables change. A file with another number is set aside. */
export const FORMAT_VERSION = 2;
/** 100,000 tags take about 15 MB, and 500,000 fit. A larger file is not a state, or is malicious. */
export const STATE_LIMIT = 64 * 1024 * 1024;

/**
 * Repositories have a table of their own and digests are stored as bytes, which keeps 100,000 tags within 15 MB.
 * A null means the value of another column: `tag` for `source_tag`, `source_digest` for `pushed_digest`.
 * Times are in whole seconds, and in milliseconds for runs, whose duration is shown.
 */
const TABLES: ReadonlyMap<string, string> = new Map([
  [
    'repository',
    `CREATE TABLE repository (
  id INTEGER PRIMARY KEY,
  host TEXT NOT NULL,
  path TEXT NOT NULL,
  UNIQUE (host, path)
) STRICT`,
  ],
  [
    'content_options',
    `CREATE TABLE content_options (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE
) STRICT`,
  ],
  [
    'image',
    `CREATE TABLE image (
  destination INTEGER NOT NULL,
  tag TEXT NOT NULL,
  source INTEGER NOT NULL,
  source_tag TEXT,
  source_digest BLOB NOT NULL,
  pushed_digest BLOB,
  options INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  pushed INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,
  PRIMARY KEY (destination, tag)
) STRICT, WITHOUT ROWID`,
  ],
  [
    'failure',
    `CREATE TABLE failure (
  destination INTEGER NOT NULL,
  tag TEXT NOT NULL,
  code TEXT NOT NULL,
  failed INTEGER NOT NULL,
  PRIMARY KEY (destination, tag)
) STRICT, WITHOUT ROWID`,
  ],
  [
    'blob',
    `CREATE TABLE blob (
  digest BLOB NOT NULL,
  repository INTEGER NOT NULL,
  used_day INTEGER NOT NULL,
  PRIMARY KEY (digest, repository)
) STRICT, WITHOUT ROWID`,
  ],
  [
    'pattern',
    `CREATE TABLE pattern (
  host TEXT NOT NULL,
  pattern TEXT NOT NULL,
  PRIMARY KEY (host, pattern)
) STRICT, WITHOUT ROWID`,
  ],
  [
    'listing',
    `CREATE TABLE listing (
  host TEXT NOT NULL,
  path TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (host, path)
) STRICT, WITHOUT ROWID`,
  ],
  [
    'run',
    `CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  scope TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  copied INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  deferred INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT`,
  ],
]);

/**
 * Tables that a state has only if a run had something to record in them. A state without them is valid too. Older
 * versions do not accept a state that has them.
 */
const LATER_TABLES: ReadonlyMap<string, string> = new Map([
  [
    'kubeadm',
    `CREATE TABLE kubeadm (
  version TEXT PRIMARY KEY,
  etcd TEXT NOT NULL,
  coredns TEXT NOT NULL,
  pause TEXT NOT NULL,
  origin TEXT NOT NULL
) STRICT, WITHOUT ROWID`,
  ],
  [
    'sighting',
    `CREATE TABLE sighting (
  repository INTEGER NOT NULL,
  tag TEXT NOT NULL,
  digest BLOB NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (repository, tag)
) STRICT, WITHOUT ROWID`,
  ],
]);

/** Creates a table that a state may lack, within a transaction. */
export function ensureTable(database: DatabaseSync, name: 'kubeadm' | 'sighting'): void {
  if (!hasTable(database, 'main', name)) database.exec(LATER_TABLES.get(name) ?? '');
}

/** Returns whether a database, or one that is attached to it, has a table. */
export function hasTable(database: DatabaseSync, schema: 'main' | 'other', name: string): boolean {
  const select = database.prepare(`SELECT 1 FROM ${schema}.sqlite_schema WHERE type = 'table' AND name = ?`);
  return select.get(name) !== undefined;
}

/** Creates the tables of a new state. If another process already did, its tables are kept. */
export function createTables(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    if (readPragma(database, 'application_id') !== APPLICATION_ID) {
      for (const statement of TABLES.values()) database.exec(statement);
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}`);
    }
    database.exec('COMMIT');
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/** Returns whether a database has exactly the tables of a state, and nothing else such as a trigger. */
export function hasExpectedTables(database: DatabaseSync): boolean {
  const rows = database.prepare('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL').all();
  const found = new Map(rows.map(({ name, sql }) => [String(name), sql]));
  return (
    found.size === rows.length &&
    [...TABLES].every(([name, sql]) => found.get(name) === sql) &&
    [...found].every(([name, sql]) => TABLES.has(name) || LATER_TABLES.get(name) === sql)
  );
}

/** Returns the value of a pragma that has one number, such as `user_version`. */
export function readPragma(
  database: DatabaseSync,
  name: 'application_id' | 'user_version' | 'page_count' | 'page_size',
): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
