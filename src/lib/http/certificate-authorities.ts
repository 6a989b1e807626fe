import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import { Failure } from '../failure.ts';
import { explainFileError } from '../file-error.ts';
import { decodeText } from '../text/decoded-text.ts';

/**
 * Returns the certificate authorities to trust, in PEM: the default ones and those of a file. Returns undefined if
 * there is no file. Throws `CA_FILE_MALFORMED`.
 */
export async function readAuthorities(file: string | undefined): Promise<string[] | undefined> {
  if (file === undefined) return undefined;
  try {
    const pem = decodeText(await readFile(file));
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate');
    return [...getCACertificates('default'), pem];
  } catch (cause) {
    throw new Failure({
      code: 'CA_FILE_MALFORMED',
      fault: 'usage',
      about: `--ca-file ${file}`,
      message: explainFileError(cause),
      hint: 'give a file with PEM certificates',
      cause,
    });
  }
}
