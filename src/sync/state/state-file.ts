import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Duration } from '../../lib/duration.ts';
import { Failure } from '../../lib/failure.ts';
import { makeFolder } from '../../lib/folder.ts';
import { openSqlite, sqliteProblem } from '../../lib/sqlite.ts';
import { textIn } from './column.ts';
import { isWithinLimits } from './row-limits.ts';
import {
  APPLICATION_ID,
  createTables,
  FORMAT_VERSION,
  hasExpectedTables,
  readPragma,
  STATE_LIMIT,
} from './schema.ts';
import { type AsideReason, explainAside, setAside } from './set-aside.ts';
import { hasSmallSchema, inspectFile, isForeign, unusableFile } from './state-file-kind.ts';

/** How to open a state file. */
interface OpeningSettings {
  /** `read` changes neither file nor folder. If there is no usable file, the state is empty. */
  readonly mode: 'write' | 'read';
  readonly now: Date;
  /** How long to wait for another process to release the file. It blocks this whole process, so keep it short. */
  readonly busyTimeout: Duration;
  readonly warn: (text: string) => void;
}

/** An open database with the tables of a state. */
export interface OpenedState {
  readonly database: DatabaseSync;
  /** Whether it holds data of an earlier run. */
  readonly restored: boolean;
  /** Why the file at the path is not used. Undefined if it is used, or if there was no file. */
  readonly rejected: AsideReason | undefined;
}

/**
 * Opens the state at a path. A missing or empty file becomes a new state. An old BoltDB, and a SQLite file that is
 * damaged or of another format, are set aside with a warning. Any other file stays untouched, including another
 * program's database. Throws `STATE_NOT_OURS`, `STATE_UNUSABLE` and `STATE_BUSY`.
 */
export function openStateFile(file: string, settings: OpeningSettings): OpenedState {
  const kind = inspectFile(file);
  if (kind === 'other') throw notOurs(file, 'this file exists and is not a state of synctl');
  if (kind === 'sqlite') {
    const found = openExisting(file, settings);
    if (typeof found === 'object') return { database: found, restored: true, rejected: undefined };
    return openInstead(file, found, settings);
  }
  if (kind === 'bolt' || kind === 'damaged') return openInstead(file, kind, settings);
  return openNew(file, settings);
}

/** Opens an empty state in memory. */
export function openInMemory(): OpenedState {
  const database = openSqlite(':memory:');
  createTables(database);
  return { database, restored: false, rejected: undefined };
}

function openInstead(file: string, reason: AsideReason, settings: OpeningSettings): OpenedState {
  const what = `${file}: this ${explainAside(reason)}`;
  if (settings.mode === 'read') {
    settings.warn(`${what}; it is not used, so nothing is known about earlier runs`);
    return { ...openInMemory(), rejected: reason };
  }
  const aside = setAside(file, reason, settings.now);
  settings.warn(
    `${what}; it was set aside as ${aside}, and the run creates a new state from what the destination has`,
  );
  return { ...openNew(file, settings), rejected: reason };
}

function openNew(file: string, settings: OpeningSettings): OpenedState {
  if (settings.mode === 'read') return openInMemory();
  try {
    makeFolder(dirname(file));
  } catch (error) {
    throw unusableFile(file, 'be created', error);
  }
  const database = connect(file);
  try {
    configure(database, settings);
    createTables(database);
    return { database, restored: false, rejected: undefined };
  } catch (error) {
    database.close();
    throw asFailure(file, error);
  }
}

function openExisting(file: string, settings: OpeningSettings): DatabaseSync | AsideReason {
  if (!hasSmallSchema(file)) {
    if (isForeign(file)) throw notOurs(file, 'this is a SQLite database of another program');
    return 'damaged';
  }
  const database = connect(file);
  try {
    configure(database, settings);
    const reason = faultOf(database, file);
    if (reason === undefined) {
      if (settings.mode === 'read') database.exec('PRAGMA query_only = 1');
      else proveWritable(database);
      return database;
    }
    database.close();
    return reason;
  } catch (error) {
    database.close();
    const problem = sqliteProblem(error);
    if (problem === 'damaged' || problem === 'other') return 'damaged';
    throw asFailure(file, error);
  }
}

/** Fails at the start, not in the middle of a run, if the file or its journal cannot be written or is locked. */
function proveWritable(database: DatabaseSync): void {
  // BEGIN alone succeeds on a read-only file. A write does not.
  database.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${FORMAT_VERSION}; ROLLBACK`);
}

function connect(file: string): DatabaseSync {
  try {
    return openSqlite(file);
  } catch (error) {
    throw asFailure(file, error);
  }
}

function configure(database: DatabaseSync, settings: OpeningSettings): void {
  // synchronous: a kill loses nothing even without waiting for the disk. A power cut during a run may damage the file;
  // the next run then sets it aside and asks the destination. trusted_schema: the file may come from a shared cache,
  // so its schema must not run functions.
  database.exec(`PRAGMA busy_timeout = ${Math.round(settings.busyTimeout)};
PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA synchronous = OFF`);
}

function faultOf(database: DatabaseSync, file: string): AsideReason | undefined {
  if (readPragma(database, 'application_id') !== APPLICATION_ID) {
    // A file with our tables is a state whose header lost its mark.
    if (hasExpectedTables(database) || !isWhole(database, file)) return 'damaged';
    throw notOurs(file, 'this is a SQLite database of another program');
  }
  const version = readPragma(database, 'user_version');
  if (version !== FORMAT_VERSION) return version > FORMAT_VERSION ? 'newer' : 'older';
  // A file with a write-ahead log would spread what a run writes over three files, but only one of them is kept.
  if (database.prepare('PRAGMA journal_mode').get()?.['journal_mode'] === 'wal') return 'damaged';
  if (!hasExpectedTables(database)) return 'damaged';
  // Counting comes first: it stops at a limit, but the time of checking grows with the number of rows.
  if (sizeOf(database) > STATE_LIMIT || !isWithinLimits(database)) return 'oversized';
  return isWhole(database, file) ? undefined : 'damaged';
}

function isWhole(database: DatabaseSync, file: string): boolean {
  // SQLite reads a missing end of a file as zeroes, which can look like content.
  const size = sizeOf(database);
  if (statSync(file).size < size || size > STATE_LIMIT) return false;
  // 30 to 45 ms at 100,000 tags and 50,000 blob hints (11 MB).
  const rows = database.prepare('PRAGMA quick_check(1)').all();
  return rows.every((row) => textIn(row, 'quick_check') === 'ok');
}

function sizeOf(database: DatabaseSync): number {
  return readPragma(database, 'page_count') * readPragma(database, 'page_size');
}

function notOurs(file: string, message: string): Failure<'STATE_NOT_OURS'> {
  return new Failure({
    code: 'STATE_NOT_OURS',
    fault: 'usage',
    about: file,
    message: `${message}; keel-pkg left it unchanged`,
    hint: 'give --db another path, or move the file away',
  });
}

function asFailure(file: string, error: unknown): unknown {
  const problem = sqliteProblem(error);
  if (problem === undefined) return error;
  if (problem === 'full' || problem === 'input-output') {
    const hint = 'free some space on its disk, or give --db a path on another one';
    return unusableFile(file, 'be opened and written', error, hint);
  }
  if (problem !== 'busy') return unusableFile(file, 'be opened and written', error);
  return new Failure({
    code: 'STATE_BUSY',
    about: file,
    message: 'another process is writing this state file',
    hint: 'wait until the other run has ended, or give each run its own file with --db',
    cause: error,
  });
}
