import { failureCode } from './failure.ts';

/** No room on the disk, in the quota, or for a file of that size in this process. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Returns whether an error of the file system says that there is no room. */
export function isDiskFull(error: unknown): boolean {
  return FULL.has(failureCode(error));
}

/** Returns what kept a file from being read, as the middle of a sentence; an error of ours says so by its own message. */
export function explainFileError(error: unknown): string {
  const code = failureCode(error);
  if (code === 'ENOENT') return 'there is no such file';
  return code === 'UNEXPECTED' && error instanceof Error ? error.message : `it cannot be read: ${code}`;
}
