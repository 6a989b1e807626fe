import { Failure } from '../../lib/failure.ts';
import { type Digest, isDigest } from '../../registry/oci/digest.ts';

/** In bytes; larger than any list of checksums. */
export const CHECKSUM_FILE_LIMIT = 1024 * 1024;

/** One line of a checksum file: the digest, and the file it is for if the line names one. */
interface Line {
  readonly digest: Digest;
  readonly fileName: string | undefined;
}

const BARE = /^([0-9a-fA-F]{64}|[0-9a-fA-F]{128})$/;
const NAMED = /^\\?([0-9a-fA-F]{64}|[0-9a-fA-F]{128})[ \t]([^\0]+)$/;
const BSD = /^SHA-?(256|512) ?\(([^\0]+)\) ?= ?([0-9a-fA-F]+)$/i;

const SIGNED_BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----';
const SIGNATURE_BEGIN = '-----BEGIN PGP SIGNATURE-----';

function toDigest(hex: string): Digest | undefined {
  const text = `${hex.length === 64 ? 'sha256' : 'sha512'}:${hex.toLowerCase()}`;
  return isDigest(text) ? text : undefined;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function parseLine(line: string): Line | undefined {
  const bare = BARE.exec(line);
  if (bare?.[1] !== undefined) return withDigest(bare[1], undefined);
  const named = NAMED.exec(line);
  if (named?.[1] !== undefined) return withDigest(named[1], named[2]?.trimStart().replace(/^\*/, ''));
  const bsd = BSD.exec(line);
  const isWhole = bsd?.[3]?.length === (bsd?.[1] === '256' ? 64 : 128);
  return bsd?.[3] !== undefined && isWhole ? withDigest(bsd[3], bsd[2]) : undefined;
}

function withDigest(hex: string, fileName: string | undefined): Line | undefined {
  const digest = toDigest(hex);
  return digest === undefined ? undefined : { digest, fileName };
}

/** Returns the signed lines of a clear-signed text (RFC 9580, 7), or all lines of any other. */
function contentLines(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const begin = lines.findIndex((line) => line.trimEnd() === SIGNED_BEGIN);
  if (begin < 0) return lines;
  const bodyStart = lines.findIndex((line, index) => index > begin && line.trim() === '');
  const bodyEnd = lines.findIndex((line, index) => index > bodyStart && line.trimEnd() === SIGNATURE_BEGIN);
  // The lines outside of the envelope are not signed, so they are ignored.
  if (bodyStart < 0 || bodyEnd < 0) return [];
  return lines.slice(bodyStart + 1, bodyEnd).map((line) => line.replace(/^- /, ''));
}

function unusable(about: string, message: string): Failure<'CHECKSUM_UNUSABLE'> {
  return new Failure({
    code: 'CHECKSUM_UNUSABLE',
    about,
    message,
    hint: 'pin the download with "sha256" in the versions file',
    // An overloaded proxy may answer with a page of its own for a moment.
    transient: true,
  });
}

/**
 * Returns the digest of a file in a checksum file of any common form: bare hexadecimal digits, `hex  name` and `hex
 * *name` (also for several files), BSD's `SHA256 (name) = hex`, and each of them clear-signed with PGP, whose signature
 * is not verified. sha512 is preferred to sha256. `about` names the checksum file. Throws `CHECKSUM_UNUSABLE` if there
 * is no checksum for the file, or if two lines contradict each other.
 */
export function findChecksum(text: string, fileName: string, about: string): Digest {
  const lines = contentLines(text).flatMap((line) => parseLine(line.trim()) ?? []);
  const named = lines.filter((line) => line.fileName !== undefined && lastPart(line.fileName) === fileName);
  // A line without a name can only be for a single file, so it is used only if it is the only line.
  const matching =
    named.length > 0 ? named : lines.length === 1 && lines[0]?.fileName === undefined ? lines : [];
  const strongest = matching.filter(({ digest }) => digest.startsWith('sha512:'));
  const digests = new Set((strongest.length > 0 ? strongest : matching).map(({ digest }) => digest));
  const [digest] = digests;
  if (digest === undefined) {
    const what = lines.length === 0 ? 'it contains no checksum' : `it contains no checksum for ${fileName}`;
    throw unusable(about, what);
  }
  if (digests.size > 1) throw unusable(about, `it contains different checksums for ${fileName}`);
  return digest;
}
