import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../../lib/failure.ts';
import { takeFileLock } from '../../lib/file-lock.ts';
import { makeFolder } from '../../lib/folder.ts';
import { inspectFile, unusableFile } from './state-file-kind.ts';

/**
 * Takes a state file for one run: until the result is disposed, or the process ends, however it does, no other run can
 * take it. It can be read meanwhile. Throws `STATE_BUSY` if another run has it, and `STATE_UNUSABLE`.
 *
 * The state itself cannot be locked during a run, because then no other process could read it. Therefore a file next to
 * it is locked.
 */
export function takeRunLock(file: string): Disposable {
  const lock = lockBeside(file);
  if (lock !== undefined) return lock;
  throw new Failure({
    code: 'STATE_BUSY',
    about: file,
    message: 'another run is using this state file',
    hint: 'wait until the other run has ended, or give each run its own file with --db',
  });
}

function lockBeside(file: string): Disposable | undefined {
  const kind = inspectFile(file);
  try {
    makeFolder(dirname(file));
    // Two runs may call the file by different names.
    const real = kind === 'missing' ? join(realpathSync(dirname(file)), basename(file)) : realpathSync(file);
    return takeFileLock(`${real}.lock`);
  } catch (error) {
    throw unusableFile(file, 'be locked for this run', error);
  }
}
