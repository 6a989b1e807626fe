import { describe, expect, test } from 'vitest';
import { openSqlite, sqliteProblem } from '../../src/lib/sqlite.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

// The words of Node 24.0 to 24.14, lib/internal/util.js "emitExperimentalWarning".
const NOTICE = 'SQLite is an experimental feature and might change at any time';

function warningsDuring(load: () => void): string[] {
  const seen: string[] = [];
  const original = process.emitWarning;
  process.emitWarning = new Proxy(original, {
    apply: (_target, _self, call: unknown[]) => void seen.push(String(call[0])),
  });
  try {
    load();
  } finally {
    process.emitWarning = original;
  }
  return seen;
}

/** Opens a database, with this done as Node loads its module for it. */
function openWhile(loading: () => void): void {
  const original = process.getBuiltinModule;
  process.getBuiltinModule = new Proxy(original, {
    apply(target, self, call) {
      loading();
      return Reflect.apply(target, self, call);
    },
  });
  try {
    openSqlite(':memory:').close();
  } finally {
    process.getBuiltinModule = original;
  }
}

describe('openSqlite', () => {
  test('keeps back the notice about SQLite and passes every other warning', () => {
    const seen = warningsDuring(() =>
      openWhile(() => {
        process.emitWarning(NOTICE, 'ExperimentalWarning');
        process.emitWarning('localStorage is an experimental feature', 'ExperimentalWarning');
        process.emitWarning(NOTICE, 'DeprecationWarning');
        process.emitWarning(new Error('from a library'));
      }),
    );
    expect(seen).toEqual(['localStorage is an experimental feature', NOTICE, 'Error: from a library']);
  });

  test('puts emitWarning back also when loading fails', () => {
    const before = process.emitWarning;
    expect(() =>
      openWhile(() => {
        throw new Error('no such module');
      }),
    ).toThrow('no such module');
    expect(process.emitWarning).toBe(before);
  });
});

describe('sqliteProblem', () => {
  test('tells a full database, a read-only one, a busy one and a mistake in SQL apart', () => {
    const database = openSqlite(':memory:');
    const problemOf = (sql: string): unknown => {
      try {
        database.exec(sql);
      } catch (error) {
        return sqliteProblem(error);
      }
      return 'none';
    };
    database.exec('CREATE TABLE word (text TEXT); PRAGMA max_page_count = 4');
    expect(problemOf('INSERT INTO word VALUES (hex(zeroblob(100000)))')).toBe('full');
    expect(problemOf('PRAGMA query_only = 1; INSERT INTO word VALUES (1)')).toBe('read-only');
    expect(problemOf('SELEKT')).toBe('other');
    database.close();
  });

  test('calls a lock of another connection busy', () => {
    const file = `${scratchFolder()}/lock.db`;
    const first = openSqlite(file);
    const second = openSqlite(file);
    first.exec('BEGIN IMMEDIATE');
    let problem: unknown;
    try {
      second.exec('BEGIN IMMEDIATE');
    } catch (error) {
      problem = sqliteProblem(error);
    }
    expect(problem).toBe('busy');
    first.close();
    second.close();
  });

  test('does not claim errors of others', () => {
    expect(sqliteProblem(new Error('ECONNRESET'))).toBeUndefined();
    expect(sqliteProblem('damaged')).toBeUndefined();
  });
});
