import { failureCode } from '../../lib/failure.ts';
import { explainFileError } from '../../lib/file-error.ts';
import { readGivenFile, readStandardInput } from '../../lib/given-file.ts';
import type { FoundImages } from './found-images.ts';
import { shownName } from './given-image.ts';
import { findImages } from './image-finder.ts';
import { unreadableImages } from './unreadable-images.ts';

/** Standard input on a command line. */
export const STANDARD_INPUT = '-';
const WEB_ADDRESS = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Returns the name of a file for people: `standard input` for `-`, and a web address without its login. */
export function shownFile(file: string): string {
  return file === STANDARD_INPUT ? 'standard input' : shownName(file);
}

/**
 * Returns the images in a file, or in standard input for `-`. Waits for standard input until the signal aborts. Throws
 * `IMAGES_UNREADABLE`.
 */
export async function readImageFile(file: string, signal: AbortSignal): Promise<FoundImages> {
  const isInput = file === STANDARD_INPUT;
  const shown = shownFile(file);
  if (WEB_ADDRESS.test(file)) {
    throw unreadableImages(shown, 'it is a web address, and not a file', { hint: 'download it first' });
  }
  let bytes: Buffer;
  try {
    bytes = await (isInput ? readStandardInput(signal) : readGivenFile(file, signal));
  } catch (cause) {
    signal.throwIfAborted();
    const isFolder = failureCode(cause) === 'EISDIR';
    throw unreadableImages(shown, isFolder ? 'it is a directory' : explainFileError(cause), {
      hint: isFolder ? `name the files in it, such as ${file.replace(/\/+$/, '')}/*.yaml` : undefined,
      cause,
    });
  }
  return findImages(shown, bytes);
}
