import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { failureCode } from './failure.ts';
import { openSqlite, sqliteProblem } from './sqlite.ts';

/** Each attempt loses against a process that gave the lock back in this very moment. */
const ATTEMPTS = 10;

/**
 * Takes a lock, which is an empty file: until the result is disposed, or the process ends in whatever way, nobody else
 * can take it. Returns undefined if somebody has it. Throws errors of the system and of node:sqlite.
 *
 * SQLite's locks belong to the process, so a kill releases them. What a killed process leaves of the file bars nobody.
 */
export function takeFileLock(lock: string): Disposable | undefined {
  try {
    for (let left = ATTEMPTS; left > 0; left -= 1) {
      const database = lockFile(lock);
      if (database !== undefined) return { [Symbol.dispose]: () => release(lock, database) };
    }
  } catch (error) {
    if (sqliteProblem(error) !== 'busy') throw error;
  }
  return undefined;
}

/** Returns undefined if who had it removed the file in the meantime. */
function lockFile(lock: string): DatabaseSync | undefined {
  const before = inodeOf(lock) ?? create(lock);
  const database = openSqlite(lock);
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    if (statSync(lock, { throwIfNoEntry: false })?.size)
      throw new Error(`${lock} is not empty, so it is not a lock`);
    if (inodeOf(lock) === before) return database;
    database.close();
    return undefined;
  } catch (error) {
    database.close();
    throw error;
  }
}

function release(lock: string, database: DatabaseSync): void {
  try {
    // While it is locked: whoever opened it before finds that its name is gone.
    rmSync(lock, { force: true });
  } finally {
    database.close();
  }
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/** Creates an empty file. To open one that may be locked would be wrong: to close it drops this process's locks. */
function create(file: string): number | undefined {
  try {
    closeSync(openSync(file, 'wx'));
  } catch (error) {
    if (failureCode(error) !== 'EEXIST') throw error;
  }
  return inodeOf(file);
}
