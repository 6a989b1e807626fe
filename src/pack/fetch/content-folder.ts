import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, failureCode } from '../../lib/failure.ts';
import type { HttpAnswer } from '../../lib/http/http.ts';
import { explainNetworkError, HttpFailure } from '../../lib/http/http-failure.ts';
import { type RetryPolicy, retry } from '../../lib/retry.ts';
import { BlobMeter } from '../../registry/blob-stream.ts';
import { type Digest, digestAlgorithm, digestHex } from '../../registry/oci/digest.ts';
import type { Descriptor } from '../../registry/oci/manifest.ts';
import type { ByteRange } from '../../registry/registry.ts';
import { onDisk } from '../archive/disk-failure.ts';
import { digestFile } from './file-digest.ts';

/** A blob that is wanted, and how to get it. */
export interface BlobRequest {
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /** The image it belongs to, for messages. */
  readonly about: string;
  /** Opens the blob, or a part of it: `Registry.openBlob`. */
  readonly open: (range: ByteRange | undefined, signal: AbortSignal) => Promise<HttpAnswer>;
  readonly signal: AbortSignal;
  readonly onBytes?: (count: number) => void;
}

/** Returns the file that holds a blob. */
export type BlobFiles = (digest: Digest) => string;

/** Returns where a blob stands in a folder that is laid out as OCI's image-layout has it: `blobs/sha256/<hex>`. */
export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (failureCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Blobs on disk under their digests. A blob has its name only once all of it was hashed; what a cut left is completed
 * by the next attempt or the next run.
 */
export class ContentFolder {
  readonly #folder: string;
  readonly #policy: RetryPolicy;
  readonly #stored = new Map<Digest, Promise<string>>();

  constructor(folder: string, policy: RetryPolicy) {
    this.#folder = folder;
    this.#policy = policy;
  }

  /** Returns the file in which a blob stands once it is stored. */
  pathOf(digest: Digest): string {
    return join(this.#folder, blobPath(digest));
  }

  /**
   * Makes sure that a blob is there and right, and returns its file. One that is asked for several times is fetched
   * once; one of an earlier run is hashed again. Throws `HttpFailure` (`DIGEST_MISMATCH`, `SIZE_MISMATCH`, …),
   * `HttpFailure`, `DISK_FULL`, or the signal's reason.
   */
  store(request: BlobRequest): Promise<string> {
    const { digest } = request.descriptor;
    const known = this.#stored.get(digest);
    if (known !== undefined) return known;
    const stored = this.#store(request);
    this.#stored.set(digest, stored);
    stored.catch(() => this.#stored.delete(digest));
    return stored;
  }

  async #store(request: BlobRequest): Promise<string> {
    const { descriptor, signal } = request;
    const file = this.pathOf(descriptor.digest);
    await inFolder(file, () => mkdir(dirname(file), { recursive: true }));
    if (await this.#isRight(file, request)) return file;
    await retry({ policy: this.#policy, signal }, () => this.#fetch(`${file}.part`, request));
    await inFolder(file, () => rename(`${file}.part`, file));
    return file;
  }

  async #isRight(file: string, { descriptor, signal }: BlobRequest): Promise<boolean> {
    if ((await sizeOf(file)) !== descriptor.size) return false;
    return (await digestFile(file, descriptor.digest, signal)).compared === descriptor.digest;
  }

  async #fetch(part: string, request: BlobRequest): Promise<void> {
    const { descriptor, about, signal } = request;
    const meter = new BlobMeter(descriptor, about);
    const begun = (await sizeOf(part)) ?? 0;
    if (begun > descriptor.size) await rm(part);
    else if (begun > 0) await addFile(meter, part, descriptor.size, signal);
    if (!meter.isComplete || descriptor.size === 0) {
      const answer = await this.#open(meter, part, request);
      if (answer === undefined) return this.#fetch(part, request);
      await receive(answer, part, meter, request);
    }
    try {
      meter.verify();
    } catch (error) {
      if (meter.isComplete) await rm(part, { force: true });
      throw error;
    }
  }

  /** Asks for what is missing. Returns undefined, without the part, if the registry says that it sends no such part. */
  async #open(meter: BlobMeter, part: string, request: BlobRequest): Promise<HttpAnswer | undefined> {
    const { descriptor, open: openBlob, signal } = request;
    if (meter.passed === 0) return openBlob(undefined, signal);
    try {
      return await openBlob({ start: meter.passed, end: descriptor.size }, signal);
    } catch (error) {
      if (!saysNoPart(error)) throw error;
      await rm(part);
      return undefined;
    }
  }
}

/** Returns whether an answer says that there is no such part: the whole came instead, or the range is refused as such. */
function saysNoPart(error: unknown): boolean {
  return error instanceof HttpFailure && (error.status === 200 || error.status === 416);
}

async function addFile(meter: BlobMeter, file: string, size: number, signal: AbortSignal): Promise<void> {
  // Given to the stream, the signal would come out as an AbortError instead of its reason.
  for await (const bytes of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    signal.throwIfAborted();
    if (Buffer.isBuffer(bytes)) meter.add(bytes, size);
  }
}

async function receive(
  answer: HttpAnswer,
  part: string,
  meter: BlobMeter,
  { descriptor, signal, onBytes }: BlobRequest,
): Promise<void> {
  const file = await inFolder(part, () => open(part, meter.passed === 0 ? 'w' : 'a'));
  try {
    for await (const bytes of answer.body) {
      signal.throwIfAborted();
      if (!Buffer.isBuffer(bytes)) continue;
      meter.add(bytes, descriptor.size);
      await inFolder(part, () => file.writeFile(bytes));
      onBytes?.(bytes.length);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof Failure ? error : explainNetworkError(error, answer.url.host);
  } finally {
    answer.body.destroy();
    await file.close();
  }
}

function inFolder<Result>(file: string, operation: () => Promise<Result>): Promise<Result> {
  return onDisk(file, '--image-output', operation);
}
