import { basename, dirname } from 'node:path';
import { Failure, failureCode } from '../lib/failure.ts';

/** Turns what the file system says about a download into a failure that says what to change. */
export function diskFailure(error: unknown, file: string): Failure<'DISK_FULL' | 'DISK_REFUSED'> {
  const code = failureCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure({
      code: 'DISK_FULL',
      about: dirname(file),
      message: `there is no room left for ${basename(file)}`,
      hint: 'free some space, or choose another folder with --download-output',
      cause: error,
    });
  }
  return new Failure({
    code: 'DISK_REFUSED',
    about: file,
    message: `it cannot be written or read (${code})`,
    hint: 'check the permissions of the folder, or choose another one with --download-output',
    cause: error,
  });
}

/** Does something with the files of a download. Throws `DISK_FULL` or `DISK_REFUSED`. */
export async function onDisk<Result>(file: string, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw error instanceof Failure ? error : diskFailure(error, file);
  }
}
