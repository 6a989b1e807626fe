import type { DatabaseSync } from 'node:sqlite';
import type { Reference } from '../../registry/oci/reference.ts';
import { numberIn } from './column.ts';
import { statement } from './statement.ts';

/** A repository at a host, be it one that is read or one that is written. */
export type RepositoryAddress = Pick<Reference, 'host' | 'repository'>;

/** Returns the number of a repository in the state; undefined when nothing is known of it. */
export function findRepository(database: DatabaseSync, address: RepositoryAddress): number | undefined {
  const row = statement(database, 'SELECT id FROM repository WHERE host = ? AND path = ?').get(
    address.host,
    address.repository,
  );
  return row === undefined ? undefined : numberIn(row, 'id');
}

/** Returns the number of a repository in the state, and makes one up if need be. */
export function ensureRepository(database: DatabaseSync, address: RepositoryAddress): number {
  const known = findRepository(database, address);
  if (known !== undefined) return known;
  const insert = statement(database, 'INSERT INTO repository (host, path) VALUES (?, ?)');
  return Number(insert.run(address.host, address.repository).lastInsertRowid);
}
