import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Digest, parseDigest } from '../../../src/registry/oci/digest.ts';

/**
 * The bytes of a blob: in memory, made up while they are read (so that a layer of a gigabyte costs nothing), or
 * received, hashed and dropped.
 */
export type Content =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'generated'; readonly seed: string; readonly size: number }
  | { readonly kind: 'discarded'; readonly size: number };

const PIECE = 256 * 1024;
const ZEROES = Buffer.alloc(PIECE);
const CIPHER_BLOCK = 16;

/** Returns the number of bytes of a content. */
export function contentSize(content: Content): number {
  return content.kind === 'bytes' ? content.bytes.length : content.size;
}

/** A content that is these bytes. */
export function bytesContent(bytes: Uint8Array | string): Content {
  return { kind: 'bytes', bytes: Buffer.from(bytes) };
}

/** A content of `size` bytes that look random, cannot be compressed and are the same for the same seed. */
export function generatedContent(seed: string, size: number): Content {
  return { kind: 'generated', seed, size };
}

// A cipher in counter mode is a fast random generator that can start at any offset.
function* generate(seed: string, start: number, end: number): Generator<Buffer> {
  const counter = Buffer.alloc(CIPHER_BLOCK);
  counter.writeBigUInt64BE(BigInt(Math.floor(start / CIPHER_BLOCK)), 8);
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, counter);
  cipher.update(ZEROES.subarray(0, start % CIPHER_BLOCK));
  for (let at = start; at < end; at += PIECE)
    yield cipher.update(ZEROES.subarray(0, Math.min(PIECE, end - at)));
}

/** Returns the bytes of a content from `start` up to and without `end`, piece by piece. */
export function* readContent(content: Content, start = 0, end = contentSize(content)): Generator<Buffer> {
  if (content.kind === 'discarded')
    throw new Error('this blob was discarded after hashing; it cannot be read');
  if (content.kind === 'generated') {
    yield* generate(content.seed, start, end);
    return;
  }
  for (let at = start; at < end; at += PIECE) yield content.bytes.subarray(at, Math.min(at + PIECE, end));
}

/** Opens a content as a stream. */
export function openContent(content: Content, start = 0, end = contentSize(content)): Readable {
  return Readable.from(readContent(content, start, end), { objectMode: false });
}

/** Gives `size` bytes that look random and are the same for the same seed. */
export function generatedBytes(seed: string, size: number): Buffer {
  return Buffer.concat([...generate(seed, 0, size)]);
}

/** Computes the sha256 digest of a content. */
export function contentDigest(content: Content): Digest {
  const hash = createHash('sha256');
  for (const piece of readContent(content)) hash.update(piece);
  return parseDigest(`sha256:${hash.digest('hex')}`, 'content');
}
