import type { DatabaseSync } from 'node:sqlite';
import type { Reference } from '../../registry/oci/reference.ts';
import { numberIn } from './column.ts';
import { statement } from './statement.ts';

/** A repository at a host, of the source or the destination. */
export type RepositoryAddress = Pick<Reference, 'host' | 'repository'>;

/** Returns the id of a repository in the state, or undefined if it is not recorded. */
export function findRepository(database: DatabaseSync, address: RepositoryAddress): number | undefined {
  const row = statement(database, 'SELECT id FROM repository WHERE host = ? AND path = ?').get(
    address.host,
    address.repository,
  );
  return row === undefined ? undefined : numberIn(row, 'id');
}

/** Returns the id of a repository in the state, and records the repository if needed. */
export function ensureRepository(database: DatabaseSync, address: RepositoryAddress): number {
  const known = findRepository(database, address);
  if (known !== undefined) return known;
  const insert = statement(database, 'INSERT INTO repository (host, path) VALUES (?, ?)');
  return Number(insert.run(address.host, address.repository).lastInsertRowid);
}
