import { Failure, failureCode } from '../lib/failure.ts';
import { explainFileError } from '../lib/file-error.ts';
import { readGivenFile } from '../lib/given-file.ts';
import { decodeText } from '../lib/text/decoded-text.ts';
import { type Document, parseDocument } from './document.ts';
import { type ImageSet, parseImageSet } from './image-set.ts';
import { parseVersions, type Versions } from './versions.ts';

/** Returns the image set in a file. Throws `CONFIGURATION_UNREADABLE` or `CONFIGURATION_MALFORMED`. */
export async function readImageSet(file: string, signal: AbortSignal): Promise<ImageSet> {
  const advice =
    'name another file, or images as in synctl sync nginx:1.29, or write one as in docs/image-set.md';
  return parseImageSet(await readDocument(file, advice, signal));
}

/**
 * Returns the image set in a file, or undefined if there is no such file. Otherwise throws what `readImageSet` throws.
 */
export async function readImageSetIfThere(file: string, signal: AbortSignal): Promise<ImageSet | undefined> {
  try {
    return await readImageSet(file, signal);
  } catch (error) {
    const isMissing = error instanceof Failure && failureCode(error.cause) === 'ENOENT';
    if (isMissing) return undefined;
    throw error;
  }
}

/** Returns the versions.json in a file. Throws `CONFIGURATION_UNREADABLE` or `CONFIGURATION_MALFORMED`. */
export async function readVersions(file: string, signal: AbortSignal): Promise<Versions> {
  return parseVersions(
    await readDocument(
      file,
      'name another file, or start from the versions.json of https://github.com/shipengqi/keel-pkg',
      signal,
    ),
  );
}

/** Returns the JSON in a file. `advice` is for a file that is missing. Throws `CONFIGURATION_UNREADABLE`. */
async function readDocument(file: string, advice: string, signal: AbortSignal): Promise<Document> {
  let source: string;
  try {
    source = decodeText(await readGivenFile(file, signal));
  } catch (cause) {
    signal.throwIfAborted();
    const missing = failureCode(cause) === 'ENOENT';
    const { GITHUB_ACTIONS } = process.env;
    throw new Failure({
      code: 'CONFIGURATION_UNREADABLE',
      fault: 'usage',
      about: file,
      message: explainFileError(cause),
      hint: missing
        ? GITHUB_ACTIONS === 'true'
          ? 'name another file, or check out the repository in a step before this one'
          : advice
        : undefined,
      cause,
    });
  }
  return parseDocument(file, source);
}
