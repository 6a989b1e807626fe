import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Failure, failureCode } from '../../lib/failure.ts';
import { isWrongPath } from '../../lib/file-error.ts';
import { makeFolder } from '../../lib/folder.ts';
import type { Reporter } from '../../lib/reporter.ts';

/** The default parent of the folders for downloads, which only root can write. */
const CUSTOMARY = '/var/run/keel';

function makeWritable(folder: string): void {
  makeFolder(folder);
  // The dot makes a file fail too: ENOTDIR.
  accessSync(`${folder}/.`, constants.W_OK);
}

/** Returns a folder that the user can write: that of the job for temporary files, else the user's cache. */
function ownPlace(environment: NodeJS.ProcessEnv): string {
  const { RUNNER_TEMP = '', XDG_CACHE_HOME = '' } = environment;
  if (RUNNER_TEMP !== '') return join(RUNNER_TEMP, 'keel');
  return join(XDG_CACHE_HOME === '' ? join(homedir(), '.cache') : XDG_CACHE_HOME, 'keel');
}

/**
 * Returns a folder for files that are fetched or written, which it makes if necessary. A user who may not write to the
 * default place gets a folder of their own instead, which is reported. Throws `FOLDER_UNWRITABLE` and
 * `PATH_UNUSABLE`.
 */
export function workFolder(
  folder: string,
  flag: string,
  environment: NodeJS.ProcessEnv,
  reporter: Reporter,
): string {
  try {
    makeWritable(folder);
    return resolve(folder);
  } catch (cause) {
    const rest = folder.startsWith(`${CUSTOMARY}/`) ? folder.slice(CUSTOMARY.length) : undefined;
    const isForbidden = ['EACCES', 'EPERM', 'EROFS'].includes(failureCode(cause));
    if (rest !== undefined && isForbidden) {
      const other = join(ownPlace(environment), rest);
      reporter.detail(`this user cannot write to ${folder}, so packer uses ${other}`);
      makeWritable(other);
      return other;
    }
    if (isWrongPath(cause)) {
      throw new Failure({
        code: 'PATH_UNUSABLE',
        fault: 'usage',
        about: folder,
        message: `cannot create a folder here (${failureCode(cause)})`,
        hint: `choose another one with ${flag}`,
        cause,
      });
    }
    throw new Failure({
      code: 'FOLDER_UNWRITABLE',
      about: folder,
      message: `cannot create the folder or write to it (${failureCode(cause)})`,
      hint: `check its permissions, or choose another one with ${flag}`,
      cause,
    });
  }
}
