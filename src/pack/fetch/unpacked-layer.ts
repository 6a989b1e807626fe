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
/** Of a skippable frame, which may come first; its first byte may be 50 to 5f. */
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

/** Layers unpack to more than they may. */
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
 * Returns the digest of what a layer unpacks to, of gzip, zstd or nothing, in the algorithm of another digest. All bytes
 * of the file count: what goes on after the end of its gzip is malformed. Throws what is malformed,
 * `UnpackingLimitError`, or the signal's reason.
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
  const { compression, size } = await headOf(file);
  const algorithm = digestAlgorithm(like);
  const hash = createHash(algorithm);
  const stored = createReadStream(file, { highWaterMark: 256 * 1024 });
  const count = async (pieces: AsyncIterable<Buffer>): Promise<void> => {
    for await (const bytes of pieces) {
      allowance.spend(bytes.length);
      hash.update(bytes);
    }
  };
  try {
    if (compression === 'none') await pipeline(stored, count, { signal });
    else if (compression === 'zstd') {
      await pipeline(Readable.from(zstdFrames(stored)), createZstdDecompress(), count, { signal });
    } else {
      const gunzip = createGunzip();
      await pipeline(stored, gunzip, count, { signal });
      // Node leaves out what follows the last member if that begins with a zero.
      if (gunzip.bytesWritten !== size) throw new Error('something follows the end of its gzip');
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  return parseDigest(`${algorithm}:${hash.digest('hex')}`, file);
}
