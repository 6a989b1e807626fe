import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { zstdFrames } from '../../lib/zstd-frames.ts';
import { type Digest, digestAlgorithm, parseDigest } from '../../registry/oci/digest.ts';

type Compression = 'gzip' | 'zstd' | 'none';

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** A skippable frame may come first. This is the rest of its magic number, after a first byte of 50 to 5f. */
const ZSTD_SKIPPABLE = Buffer.from([0x2a, 0x4d, 0x18]);

/** Counts the bytes that layers of one image unpack to, against what is allowed for all of them. */
export class UnpackingAllowance {
  readonly limit: number;
  #left: number;

  constructor(limit: number) {
    this.limit = limit;
    this.#left = limit;
  }

  /** Throws `UnpackingLimitError` if there are more bytes than allowed. */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new UnpackingLimitError(this.limit);
  }
}

/** Layers unpack to more than is allowed. */
export class UnpackingLimitError extends Error {
  readonly limit: number;

  constructor(limit: number) {
    super(`it unpacks to more than ${limit} bytes`);
    this.limit = limit;
  }
}

/**
 * Returns a file's size, and how it is compressed by its first bytes, as containerd and docker do: the media type is
 * only a claim.
 */
async function headOf(file: string): Promise<{ readonly compression: Compression; readonly size: number }> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  const head = buffer.subarray(0, bytesRead);
  if (head.subarray(0, 2).equals(GZIP_MAGIC)) return { compression: 'gzip', size };
  const isSkippable = head.subarray(1).equals(ZSTD_SKIPPABLE) && ((head[0] ?? 0) & 0xf0) === 0x50;
  return { compression: head.equals(ZSTD_MAGIC) || isSkippable ? 'zstd' : 'none', size };
}

/**
 * Unpacks a layer that is compressed with gzip, zstd or not at all, and passes on its content in pieces. Data after the
 * end of its gzip stream is malformed. Throws what is malformed, what `onBytes` throws, or the signal's reason.
 */
async function unpack(file: string, onBytes: (bytes: Buffer) => void, signal: AbortSignal): Promise<void> {
  const { compression, size } = await headOf(file);
  const stored = createReadStream(file, { highWaterMark: 256 * 1024 });
  const handOn = async (pieces: AsyncIterable<Buffer>): Promise<void> => {
    for await (const bytes of pieces) onBytes(bytes);
  };
  try {
    if (compression === 'none') await pipeline(stored, handOn, { signal });
    else if (compression === 'zstd') {
      await pipeline(Readable.from(zstdFrames(stored)), createZstdDecompress(), handOn, { signal });
    } else {
      const gunzip = createGunzip();
      await pipeline(stored, gunzip, handOn, { signal });
      // Node ignores data after the last member if that data begins with a zero.
      if (gunzip.bytesWritten !== size) throw new Error('its gzip stream is followed by other data');
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/**
 * Returns the digest of the unpacked content of a layer, which is compressed with gzip, zstd or not at all, in the
 * algorithm of another digest. Throws what is malformed, `UnpackingLimitError`, or the signal's reason.
 */
export async function unpackedDigest(
  file: string,
  {
    like,
    allowance,
    signal,
  }: {
    readonly like: Digest;
    readonly allowance: UnpackingAllowance;
    readonly signal: AbortSignal;
  },
): Promise<Digest> {
  const algorithm = digestAlgorithm(like);
  const hash = createHash(algorithm);
  const count = (bytes: Buffer): void => {
    allowance.spend(bytes.length);
    hash.update(bytes);
  };
  await unpack(file, count, signal);
  return parseDigest(`${algorithm}:${hash.digest('hex')}`, file);
}

/** A smaller layer of gzip can unpack to more than 4 GiB only if it is mostly zeros. */
const TELLING_SIZE = 512 * 1024 ** 2;
/** The most bytes that deflate can unpack from one byte. https://zlib.net/zlib_tech.html */
const DEFLATE_RATIO = 1032;
/** A layer of programs unpacks to no more than this many times its size. */
const USUAL_RATIO = 4;

/** Returns the unpacked size that the last 32 bits of a gzip file state for its content, or for its last member. */
async function toldByGzip(file: string, size: number): Promise<number> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, Math.max(0, size - 4));
  return bytesRead === 4 ? buffer.readUInt32LE(0) : 0;
}

/**
 * Returns how many bytes a layer unpacks to: the size that its gzip states, if that can be true, else the counted one.
 * For a layer that is malformed or unpacks to more than allowed, returns about four times its size. Throws the signal's
 * reason.
 */
export async function unpackedSize(
  file: string,
  { allowance, signal }: { readonly allowance: UnpackingAllowance; readonly signal: AbortSignal },
): Promise<number> {
  const { compression, size } = await headOf(file);
  if (compression === 'none') return size;
  // If the stated size is smaller than the file, the gzip has several members, like those that can be read from the
  // middle.
  const told = compression === 'gzip' && size < TELLING_SIZE ? await toldByGzip(file, size) : 0;
  if (told >= size && told <= DEFLATE_RATIO * size) return told;
  let counted = 0;
  const count = (bytes: Buffer): void => {
    counted += bytes.length;
    allowance.spend(bytes.length);
  };
  try {
    await unpack(file, count, signal);
    return counted;
  } catch {
    signal.throwIfAborted();
    return Math.max(counted, USUAL_RATIO * size);
  }
}
