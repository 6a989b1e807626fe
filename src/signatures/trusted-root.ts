import { Failure } from '../lib/failure.ts';
import { explainFileError } from '../lib/file-error.ts';
import { readGivenFile } from '../lib/given-file.ts';
import { parseJson, readJson } from '../lib/json.ts';
import type { SigstoreVerifier } from './sigstore-verifier.ts';

function malformed(file: string, message: string, cause: unknown): Failure<'TRUSTED_ROOT_MALFORMED'> {
  return new Failure({
    code: 'TRUSTED_ROOT_MALFORMED',
    fault: 'usage',
    about: `trusted-root ${file}`,
    message,
    hint: 'use a trusted_root.json of Sigstore, such as "cosign trusted-root create" writes',
    cause,
  });
}

async function readRoot(file: string, signal: AbortSignal): Promise<unknown> {
  let text: string;
  try {
    text = (await readGivenFile(file, signal)).toString('utf8');
  } catch (cause) {
    signal.throwIfAborted();
    throw malformed(file, explainFileError(cause), cause);
  }
  try {
    return readJson(text);
  } catch (cause) {
    throw malformed(
      file,
      isOnLines(text) ? 'it contains a trusted root on each line: keep one of them' : 'it is not JSON',
      cause,
    );
  }
}

/** Returns whether a text is JSON by lines, as `gh attestation trusted-root` writes the roots of Sigstore and of GitHub. */
function isOnLines(text: string): boolean {
  const lines = text.split('\n', 3).filter((line) => line.trim() !== '');
  return lines.length > 1 && lines.every((line) => parseJson(line) !== undefined);
}

/**
 * Returns the verifier for the trusted root in a file; without a file, for Sigstore's public root at the time of this
 * release. Throws `TRUSTED_ROOT_MALFORMED`.
 */
export async function openVerifier(file: string | undefined, signal: AbortSignal): Promise<SigstoreVerifier> {
  const root = file === undefined ? undefined : await readRoot(file, signal);
  const { SigstoreVerifier: Verifier } = await import(/* webpackMode: "eager" */ './sigstore-verifier.ts');
  if (file === undefined) {
    const { default: pinned } = await import(/* webpackMode: "eager" */ './public-good-root.json', {
      with: { type: 'json' },
    });
    return new Verifier(pinned);
  }
  try {
    return new Verifier(root);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw malformed(file, `it is not a trusted root: ${why.slice(0, 200)}`, cause);
  }
}
