import { failureCode } from './failure.ts';

/** Returns what kept a file from being read, as the middle of a sentence; an error of ours says so by its own message. */
export function explainFileError(error: unknown): string {
  const code = failureCode(error);
  if (code === 'ENOENT') return 'there is no such file';
  return code === 'UNEXPECTED' && error instanceof Error ? error.message : `it cannot be read: ${code}`;
}
