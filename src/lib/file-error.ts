import { failureCode } from './failure.ts';

/** No room on the disk or in the quota, or a file that is larger than this process may write. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A path that leads through a file or in a circle, to something of another kind, or is too long. */
const WRONG_PATH: ReadonlySet<string> = new Set(['ENOTDIR', 'EISDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG']);

/** Returns whether an error of the file system means that the path itself is wrong, for every user. */
export function isWrongPath(error: unknown): boolean {
  return WRONG_PATH.has(failureCode(error));
}

/** Returns whether an error of the file system means that there is no room. */
export function isDiskFull(error: unknown): boolean {
  return FULL.has(failureCode(error));
}

/**
 * Returns why a file could not be read, as the middle of a sentence. If the error has no code, this is its message.
 */
export function explainFileError(error: unknown): string {
  const code = failureCode(error);
  if (code === 'ENOENT') return 'there is no such file';
  return code === 'UNEXPECTED' && error instanceof Error ? error.message : `it cannot be read: ${code}`;
}
