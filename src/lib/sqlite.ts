import type { DatabaseSync } from 'node:sqlite';

/** The kinds of SQLite errors that make a difference to users. */
type SqliteProblem = 'busy' | 'damaged' | 'full' | 'input-output' | 'read-only' | 'cannot-open' | 'other';

// https://www.sqlite.org/rescode.html#primary_result_codes
const PROBLEM_OF_PRIMARY_CODE: ReadonlyMap<number, SqliteProblem> = new Map([
  [3, 'read-only'],
  [5, 'busy'],
  [6, 'busy'],
  [8, 'read-only'],
  [10, 'input-output'],
  [11, 'damaged'],
  [13, 'full'],
  [14, 'cannot-open'],
  [26, 'damaged'],
]);

/** Returns whether a call of `process.emitWarning` is Node's notice that node:sqlite is experimental. */
function isSqliteNotice(warning: unknown, type: unknown): boolean {
  return type === 'ExperimentalWarning' && /^SQLite is an experimental feature/.test(String(warning));
}

/**
 * Runs `load` and hides the notice that node:sqlite is experimental. Every other warning is shown. Returns the result
 * of `load`.
 *
 * Node before 24.15 prints the notice when the module is first loaded, so it would be the first thing that a user sees.
 * An `import` statement would load the module before any code of ours runs, and `--no-warnings` would hide all
 * warnings. Therefore it is loaded here, synchronously, while `emitWarning` is wrapped.
 */
function withoutSqliteNotice<T>(load: () => T): T {
  const original = process.emitWarning;
  process.emitWarning = new Proxy(original, {
    apply(target, self, call: unknown[]) {
      if (!isSqliteNotice(call[0], call[1])) Reflect.apply(target, self, call);
    },
  });
  try {
    return load();
  } finally {
    process.emitWarning = original;
  }
}

/** Opens a SQLite database file, or one in memory for `:memory:`. Throws what node:sqlite throws. */
export function openSqlite(file: string): DatabaseSync {
  const sqlite = withoutSqliteNotice(() => process.getBuiltinModule('node:sqlite'));
  return new sqlite.DatabaseSync(file);
}

/**
 * Undoes in a database file what a killed writer left unfinished, and removes its rollback journal. Throws what
 * node:sqlite throws.
 */
export function applyJournal(file: string): void {
  const database = openSqlite(file);
  try {
    // SQLite looks for a journal when the file is read first.
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
  } finally {
    database.close();
  }
}

/** Returns what kind of SQLite problem an error is; undefined if it does not come from SQLite. */
export function sqliteProblem(error: unknown): SqliteProblem | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  // The low byte is the primary code; the other bits refine it.
  return PROBLEM_OF_PRIMARY_CODE.get(error.errcode & 0xff) ?? 'other';
}

/** Rolls back a transaction after an error. Never throws, so that the first error is the one that is reported. */
export function rollBack(database: DatabaseSync): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // If the disk is full or broken, SQLite has rolled back by itself.
  }
}
