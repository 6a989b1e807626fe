import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure, failureCode } from './failure.ts';
import { makeFolder } from './folder.ts';

const HINTS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'check the permissions of the folder, or choose another path'],
  ['EPERM', 'check the permissions of the folder, or choose another path'],
  ['EROFS', 'this file system is read-only: choose another path'],
  ['ENOSPC', 'make room on this disk, or choose another path'],
  ['EDQUOT', 'make room on this disk, or choose another path'],
  ['EISDIR', 'this is a folder: choose the path of a file'],
  ['ENXIO', 'start the program that reads this pipe first, or choose another path'],
]);

/**
 * Writes a file atomically: a reader finds either the old content or the new, at any moment. Creates missing folders,
 * keeps a symbolic link a link, and writes directly to pipes and devices (`/dev/stdout`). Throws `FILE_UNWRITABLE`.
 */
export function writeFileWhole(file: string, content: string | Uint8Array): void {
  try {
    const status = statSync(file, { throwIfNoEntry: false });
    // A rename would replace the device by an ordinary file, and fail for a folder.
    if (status?.isFIFO() === true) writeToPipe(file, content);
    else if (status !== undefined && !status.isFile()) writeFileSync(file, content);
    else replace(status === undefined ? file : realpathSync(file), status, content);
  } catch (error) {
    throw new Failure({
      code: 'FILE_UNWRITABLE',
      about: file,
      message: `the file cannot be written (${error instanceof Error ? error.message : failureCode(error)})`,
      hint: HINTS.get(failureCode(error)),
      cause: error,
    });
  }
}

/**
 * Checks whether `writeFileWhole` can create an ordinary file at a path, and leaves nothing there. The path need not
 * exist. Throws Node's system errors.
 */
export function tryWriting(file: string): void {
  let folder = dirname(existsSync(file) ? realpathSync(file) : file);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  const draft = draftOf(join(folder, basename(file)));
  closeSync(openSync(draft, 'wx'));
  rmSync(draft, { force: true });
}

/** Opening a pipe that no program reads would wait, and block this whole process. */
function writeToPipe(file: string, content: string | Uint8Array): void {
  const descriptor = openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeFileSync(file, content);
  } finally {
    closeSync(descriptor);
  }
}

/** Returns a name in the same folder, because a rename is atomic only within one file system. */
function draftOf(file: string): string {
  return join(dirname(file), `.${basename(file).slice(0, 100)}.${randomUUID()}`);
}

function replace(file: string, status: Stats | undefined, content: string | Uint8Array): void {
  makeFolder(dirname(file));
  const draft = draftOf(file);
  try {
    const descriptor = openSync(draft, 'wx');
    try {
      writeFileSync(descriptor, content);
      if (status !== undefined) fchmodSync(descriptor, status.mode & 0o7777);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
