import { Failure } from '../../lib/failure.ts';

/** Returns a failure about a file whose images cannot be read. `about` is the file, with line and column if known. */
export function unreadableImages(
  about: string,
  message: string,
  { hint, cause }: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
): Failure<'IMAGES_UNREADABLE'> {
  return new Failure({ code: 'IMAGES_UNREADABLE', fault: 'usage', about, message, hint, cause });
}
