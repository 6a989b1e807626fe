import { basename, dirname } from 'node:path';
import { Failure, failureCode } from '../../lib/failure.ts';
import { isDiskFull } from '../../lib/file-error.ts';

/** Returns the failure for an error of the file system, with what to change; `flag` chooses the file's folder. */
function diskFailure(error: unknown, file: string, flag: string): Failure<'DISK_FULL' | 'DISK_REFUSED'> {
  if (isDiskFull(error)) {
    return new Failure({
      code: 'DISK_FULL',
      about: dirname(file),
      message: `no space left for ${basename(file)}`,
      hint: `free some space, or choose another folder with ${flag}`,
      cause: error,
    });
  }
  return new Failure({
    code: 'DISK_REFUSED',
    about: file,
    message: `cannot write or read it (${failureCode(error)})`,
    hint: `check the permissions of the folder, or choose another one with ${flag}`,
    cause: error,
  });
}

/**
 * Runs an operation on a file in the folder that `flag` chooses, and returns its result. Throws `DISK_FULL` or
 * `DISK_REFUSED`.
 */
export async function onDisk<Result>(
  file: string,
  flag: '--download-output' | '--image-output',
  operation: () => Promise<Result>,
): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw error instanceof Failure ? error : diskFailure(error, file, flag);
  }
}
