import type { DatabaseSync, StatementSync } from 'node:sqlite';

const compiled = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** Returns the statement for SQL, compiled once per database: compiling takes longer than running most of them. */
export function statement(database: DatabaseSync, sql: string): StatementSync {
  const known = compiled.get(database) ?? new Map<string, StatementSync>();
  compiled.set(database, known);
  const found = known.get(sql) ?? database.prepare(sql);
  known.set(sql, found);
  return found;
}
