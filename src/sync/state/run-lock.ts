import { closeSync, openSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Failure, failureCode } from '../../lib/failure.ts';
import { makeFolder } from '../../lib/folder.ts';
import { openSqlite, sqliteProblem } from '../../lib/sqlite.ts';
import { inspectFile, unusableFile } from './state-file-kind.ts';

/** Each attempt loses against a run that ended in this very moment. */
const ATTEMPTS = 10;

/**
 * Takes a state file for one run: until the result is disposed, or the process ends in whatever way, no other run can
 * take it. It can be read meanwhile. Throws `STATE_BUSY` if another run has it, and `STATE_UNUSABLE`.
 *
 * SQLite's locks belong to the process, so a kill releases them. The state itself cannot be locked for the time of a
 * run: nobody could read it. Therefore an empty file beside it is locked.
 */
export function takeRunLock(file: string): Disposable {
  const kind = inspectFile(file);
  try {
    makeFolder(dirname(file));
    // Two runs may call the file by different names.
    const real = kind === 'missing' ? join(realpathSync(dirname(file)), basename(file)) : realpathSync(file);
    const lock = `${real}.lock`;
    for (let left = ATTEMPTS; left > 0; left -= 1) {
      const database = lockFile(lock);
      if (database !== undefined) return { [Symbol.dispose]: () => release(lock, database) };
    }
  } catch (error) {
    if (sqliteProblem(error) !== 'busy') throw unusableFile(file, 'be taken for this run', error);
  }
  throw new Failure({
    code: 'STATE_BUSY',
    about: file,
    message: 'another run is using this state file',
    hint: 'let the other run end first, or give --db a file of its own to each run',
  });
}

/** Returns undefined if the run that had it removed the file in the meantime. */
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
