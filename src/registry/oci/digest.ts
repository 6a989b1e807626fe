import { createHash } from 'node:crypto';
import { setImmediate as otherWork } from 'node:timers/promises';
import { Failure } from '../../lib/failure.ts';

/** The digest of some content: `sha256:` or `sha512:` and lower-case hexadecimal digits. */
export type Digest = `${'sha256' | 'sha512'}:${string}` & { readonly grammar: 'digest' };

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Returns whether a text is a digest with one of these two algorithms. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/**
 * Reads a digest (OCI image-spec, descriptor.md, "Digests") of the thing named `about`. Throws `DIGEST_MALFORMED`, also
 * for other algorithms.
 */
export function parseDigest(text: string, about: string): Digest {
  if (isDigest(text)) return text;
  throw new Failure({
    code: 'DIGEST_MALFORMED',
    fault: 'usage',
    about,
    message: `"${text.slice(0, 200)}" is not a digest`,
    hint: 'a digest is sha256: and 64, or sha512: and 128 lower-case hexadecimal digits',
  });
}

/** Returns the algorithm of a digest, by its name in node:crypto. */
export function digestAlgorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** Returns the hexadecimal part of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Returns the first 12 hexadecimal digits of a digest, which are enough for people to tell digests apart. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12);
}

/** Returns a digest for people: its algorithm and first digits, `sha256:4f1e8a2b9c3d…`. */
export function abbreviateDigest(digest: Digest): string {
  return `${digestAlgorithm(digest)}:${shortDigest(digest)}…`;
}

/** Returns the digest of some bytes. */
export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`, 'computed digest');
}

/** Some milliseconds of work. */
const HASHED_AT_ONCE = 2 * 1024 * 1024;

/** Returns the digest of many bytes, and lets other work run meanwhile. */
export async function digestOfMany(
  bytes: Uint8Array,
  algorithm: 'sha256' | 'sha512' = 'sha256',
): Promise<Digest> {
  const hash = createHash(algorithm);
  for (let at = 0; at < bytes.length; at += HASHED_AT_ONCE) {
    if (at > 0) await otherWork();
    hash.update(bytes.subarray(at, at + HASHED_AT_ONCE));
  }
  return parseDigest(`${algorithm}:${hash.digest('hex')}`, 'computed digest');
}
