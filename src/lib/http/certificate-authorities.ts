import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { Failure } from '../failure.ts';
import { explainFileError } from '../file-error.ts';
import { readGivenFile } from '../given-file.ts';
import { decodeText } from '../text/decoded-text.ts';

/** The first byte of a certificate in DER: a sequence. */
const DER_SEQUENCE = 0x30;
/** The lines around the encoded data (RFC 7468, 2). */
const BOUNDARY = /-----(BEGIN|END) ([A-Z0-9 ]+)-----/g;
const LINE_END = /\r\n|\r|\n/g;
/** X509 CERTIFICATE is the older label (RFC 7468, 5.1). */
const CERTIFICATE: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE']);
/** A certificate together with the uses that it is trusted for. Only OpenSSL reads this format. */
const TRUSTED = 'TRUSTED CERTIFICATE';
/** A certificate in place of a path: in PEM, PEM in Base64, or without the lines around it. */
const PASTED = /-----BEGIN |[\r\n]|^(?:LS0tLS1CRUdJTi|MII)[\w+/=]{60}/;

const USUAL_HINT =
  'use a file with PEM certificates; to convert DER, run openssl x509 -inform der -in FILE -out ca.pem';
const DAMAGED_HINT = 'copy the file again; openssl x509 -in FILE -noout -text shows its first certificate';
const TRUSTED_HINT = 'to convert it to a plain certificate, run openssl x509 -in FILE -out ca.pem';

/** What is wrong with the text of a file. */
class Fault extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * Returns the certificate authorities to trust, in PEM: the default ones and those of a file. Returns undefined if
 * there is no file. Throws `CA_FILE_MALFORMED`.
 */
export async function readAuthorities(
  file: string | undefined,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  if (file === undefined) return undefined;
  if (PASTED.test(file)) {
    const hint = 'write the certificate into a file, and use the path of that file';
    throw malformed('ca-file', 'this is a certificate, not the path of a file', hint);
  }
  try {
    const bytes = await readGivenFile(file, signal);
    return [...getCACertificates('default'), ...certificatesIn(bytes)];
  } catch (cause) {
    signal.throwIfAborted();
    const hint = cause instanceof Fault ? cause.hint : USUAL_HINT;
    throw malformed(`ca-file ${file}`, explainFileError(cause), hint, cause);
  }
}

function malformed(about: string, message: string, hint: string, cause?: unknown): Failure {
  return new Failure({ code: 'CA_FILE_MALFORMED', fault: 'usage', about, message, hint, cause });
}

/** Returns each certificate of a file in PEM. Throws a `Fault` if it has none, or one that cannot be read. */
function certificatesIn(bytes: Buffer): string[] {
  if (bytes[0] === DER_SEQUENCE && !bytes.includes('-----BEGIN ')) {
    throw new Fault('it is in the binary format DER', USUAL_HINT);
  }
  const blocks = [...blocksOf(decodeText(bytes))];
  const certificates = blocks.filter(({ label }) => CERTIFICATE.has(label) || label === TRUSTED);
  if (certificates.length === 0) throw new Fault('it contains no certificate', USUAL_HINT);
  return certificates.map((block, index) => read(block, index + 1));
}

/** The data between two boundaries of PEM. */
interface Block {
  readonly label: string;
  readonly body: string;
  /** The line on which it begins, from 1. */
  readonly line: number;
}

/**
 * Yields the blocks of a PEM text, also if its lines are indented or joined. Throws a `Fault` if a block has no start or
 * no end.
 */
function* blocksOf(text: string): Generator<Block> {
  let line = 1;
  let counted = 0;
  let open: (Omit<Block, 'body'> & { readonly end: number }) | undefined;
  for (const { index, 0: boundary, 1: kind, 2: label = '' } of text.matchAll(BOUNDARY)) {
    line += text.slice(counted, index).match(LINE_END)?.length ?? 0;
    counted = index;
    const isOfOpen = kind === 'END' && open?.label === label;
    if (open !== undefined && !isOfOpen) throw cutOff(open);
    if (open !== undefined) {
      yield { ...open, body: text.slice(open.end, index) };
      open = undefined;
    } else if (kind === 'BEGIN') open = { label, line, end: index + boundary.length };
    else throw new Fault(`line ${line} ends a ${label} that has no start`, DAMAGED_HINT);
  }
  if (open !== undefined) throw cutOff(open);
}

function cutOff({ label, line }: Pick<Block, 'label' | 'line'>): Fault {
  return new Fault(`the ${label} that starts on line ${line} has no end`, DAMAGED_HINT);
}

/** Returns the certificate of a block in the usual form. `count` is its position among those of the file, from 1. */
function read({ label, body, line }: Block, count: number): string {
  const name = `certificate ${count} (line ${line})`;
  if (label === TRUSTED)
    throw new Fault(`${name} is in a format that only OpenSSL reads (${label})`, TRUSTED_HINT);
  const encoded = body.replace(/\s+/g, '');
  const der = Buffer.from(encoded, 'base64');
  try {
    const certificate = new X509Certificate(der);
    // Decoders of Base64 and of certificates ignore what they cannot read.
    const isWhole = der.toString('base64') === encoded && certificate.raw.length === der.length;
    if (isWhole) return certificate.toString();
  } catch {
    // OpenSSL's own message does not help a user.
  }
  throw new Fault(`${name} is damaged`, DAMAGED_HINT);
}
