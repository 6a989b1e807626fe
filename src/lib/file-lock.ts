import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { failureCode } from './failure.ts';
import { openSqlite, sqliteProblem } from './sqlite.ts';

/** An attempt fails only if another process releases the lock at that very moment. */
const ATTEMPTS = 10;

/**
 * Takes a lock, which is an empty file. It cannot be taken again until the result is disposed or this process ends in any
 * way. Returns undefined if it is already taken. Throws errors of the system and of node:sqlite.
 *
 * SQLite's locks belong to the process, so a kill releases them. The file that a killed process leaves blocks no other.
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

/** Returns undefined if the holder of the lock removed the file in the meantime. */
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
    // The file is removed while it is locked: a process that opened it before then finds that its name is gone.
    rmSync(lock, { force: true });
  } finally {
    database.close();
  }
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/** Creates an empty file. It does not open an existing one: closing a locked file drops the locks of this process. */
function create(file: string): number | undefined {
  try {
    closeSync(openSync(file, 'wx'));
  } catch (error) {
    if (failureCode(error) !== 'EEXIST') throw error;
  }
  return inodeOf(file);
}
