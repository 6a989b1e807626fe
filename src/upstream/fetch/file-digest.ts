import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Digest, digestAlgorithm, parseDigest } from '../../registry/oci/digest.ts';

/** Hashes bytes as they pass: always with sha256, and with sha512 if the expected digest is one. */
export class FileMeter {
  readonly #hashes: ReadonlyMap<'sha256' | 'sha512', Hash>;
  #size = 0;

  constructor(expected: Digest | undefined) {
    const algorithms = new Set([
      'sha256' as const,
      expected === undefined ? 'sha256' : digestAlgorithm(expected),
    ]);
    this.#hashes = new Map([...algorithms].map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  get size(): number {
    return this.#size;
  }

  add(bytes: Uint8Array): void {
    this.#size += bytes.length;
    for (const hash of this.#hashes.values()) hash.update(bytes);
  }

  /** Hashes the content of a file. Throws the signal's reason, which a stream would hide in an AbortError. */
  async addFile(file: string, signal: AbortSignal): Promise<void> {
    for await (const bytes of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
      signal.throwIfAborted();
      if (Buffer.isBuffer(bytes)) this.add(bytes);
    }
  }

  /** Returns the digest of what has passed so far. */
  digest(algorithm: 'sha256' | 'sha512'): Digest {
    const hash = this.#hashes.get(algorithm) ?? createHash(algorithm);
    return parseDigest(`${algorithm}:${hash.copy().digest('hex')}`, 'computed digest');
  }
}

/** Hashes a file. Returns its size, its sha256, and its digest in the algorithm of the expected one. */
export async function digestFile(
  file: string,
  expected: Digest | undefined,
  signal: AbortSignal,
): Promise<{ readonly size: number; readonly sha256: Digest; readonly compared: Digest }> {
  const meter = new FileMeter(expected);
  await meter.addFile(file, signal);
  const algorithm = expected === undefined ? 'sha256' : digestAlgorithm(expected);
  return { size: meter.size, sha256: meter.digest('sha256'), compared: meter.digest(algorithm) };
}
