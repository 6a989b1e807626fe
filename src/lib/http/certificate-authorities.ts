import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import { Failure } from '../failure.ts';
import { explainFileError } from '../file-error.ts';
import { decodeText } from '../text/decoded-text.ts';

const PEM = '-----BEGIN CERTIFICATE-----';
/** The first byte of a certificate in DER: a sequence. */
const DER_SEQUENCE = 0x30;

/**
 * Returns the certificate authorities to trust, in PEM: the default ones and those of a file. Returns undefined if
 * there is no file. Throws `CA_FILE_MALFORMED`.
 */
export async function readAuthorities(file: string | undefined): Promise<string[] | undefined> {
  if (file === undefined) return undefined;
  try {
    const bytes = await readFile(file);
    if (bytes[0] === DER_SEQUENCE && !bytes.includes(PEM))
      throw new Error('it is in the binary form of certificates (DER)');
    const pem = decodeText(bytes);
    if (!pem.includes(PEM)) throw new Error('it holds no certificate');
    return [...getCACertificates('default'), pem];
  } catch (cause) {
    throw new Failure({
      code: 'CA_FILE_MALFORMED',
      fault: 'usage',
      about: `--ca-file ${file}`,
      message: explainFileError(cause),
      hint: 'give a file with PEM certificates; openssl x509 -inform der -in FILE -out ca.pem makes one of DER',
      cause,
    });
  }
}
