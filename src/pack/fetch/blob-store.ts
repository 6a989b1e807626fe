import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import type { HttpAnswer } from '../../lib/http/http.ts';
import { explainNetworkError } from '../../lib/http/http-failure.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import { saysNoPart } from '../../registry/blob/blob-source.ts';
import { BlobMeter } from '../../registry/blob/blob-stream.ts';
import { type Digest, digestAlgorithm, digestHex } from '../../registry/oci/digest.ts';
import type { Descriptor } from '../../registry/oci/manifest.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { onDisk } from '../../upstream/fetch/disk-failure.ts';
import { digestFile } from '../../upstream/fetch/file-digest.ts';
import { takeFile } from '../../upstream/fetch/shared-file.ts';

/** A blob that is wanted, and where it is. */
interface WantedBlob {
  readonly registry: Registry;
  readonly repository: Repository;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /** The image it belongs to, for messages. */
  readonly about: string;
  readonly signal: AbortSignal;
  /**
   * Called with the number of bytes of each piece that arrives; if several callers request one blob, only the first
   * one's.
   */
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** Returns the file that holds a blob. */
export type BlobFiles = (digest: Digest) => string;

/** Blobs of an earlier run that are hashed at once. */
const HASHED_AT_ONCE = 4;

/** Returns where a blob is in a folder that is laid out like an OCI image layout: `blobs/sha256/<hex>`. */
export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/**
 * Blobs on disk under their digests, fetched from registries. A blob gets its name only after all of it was hashed. The
 * next attempt or the next run completes a blob that was cut off.
 */
export class BlobStore {
  readonly #folder: string;
  readonly #stored = new SingleFlight<Digest, string>({ results: Number.POSITIVE_INFINITY });
  readonly #hashing = new ConcurrencyLimiter({ start: HASHED_AT_ONCE });

  readonly #onWait: (() => void) | undefined;

  /** `onWait` is called for each blob that another run is fetching into the folder. */
  constructor(folder: string, onWait?: () => void) {
    this.#folder = folder;
    this.#onWait = onWait;
  }

  /** Returns the file in which a blob is once it is stored. */
  pathOf(digest: Digest): string {
    return join(this.#folder, blobPath(digest));
  }

  /**
   * Returns the file of a blob once it is complete and verified. A blob is fetched once a run, however many callers
   * request it. One of an earlier run is hashed again. If another run is fetching it, this waits for that run. Throws
   * `HttpFailure`, among them `DIGEST_MISMATCH` and `SIZE_MISMATCH`, `DISK_FULL`, `DISK_REFUSED`, or the signal's
   * reason.
   */
  store(blob: WantedBlob): Promise<string> {
    return this.#stored.get(blob.descriptor.digest, () => this.#bring(blob));
  }

  async #bring(blob: WantedBlob): Promise<string> {
    const { registry, descriptor, signal } = blob;
    const file = this.pathOf(descriptor.digest);
    await inFolder(file, () => mkdir(dirname(file), { recursive: true }));
    if (await this.#isRight(file, blob)) return file;
    using _ = await takeFile(file, { flag: '--image-output', signal, onWait: this.#onWait });
    // Another run may have fetched it meanwhile.
    if (await this.#isRight(file, blob)) return file;
    await registry.retrying(signal, () => transfer(`${file}.part`, blob));
    await inFolder(file, () => rename(`${file}.part`, file));
    return file;
  }

  async #isRight(file: string, { descriptor, signal }: WantedBlob): Promise<boolean> {
    if ((await sizeOf(file)) !== descriptor.size) return false;
    const giveBack = await ConcurrencyLimiter.take([this.#hashing], signal);
    try {
      return (await digestFile(file, descriptor.digest, signal)).compared === descriptor.digest;
    } finally {
      giveBack();
    }
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (failureCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Completes the part of a blob, on a slot for transfers of its registry. */
async function transfer(part: string, blob: WantedBlob): Promise<void> {
  const { registry, signal } = blob;
  await registry.ping();
  await registry.limits.patience(signal);
  const giveBack = await ConcurrencyLimiter.take([registry.limits.transfers], signal);
  try {
    await complete(part, blob);
    registry.limits.transfers.succeeded();
  } finally {
    giveBack();
  }
}

async function complete(part: string, blob: WantedBlob): Promise<void> {
  const { descriptor, about, signal } = blob;
  const meter = new BlobMeter(descriptor, about);
  const begun = (await sizeOf(part)) ?? 0;
  if (begun > descriptor.size) await rm(part);
  else if (begun > 0) await addFile(meter, part, descriptor.size, signal);
  if (!meter.isComplete || descriptor.size === 0) {
    const answer = await openRest(meter, part, blob);
    if (answer === undefined) return complete(part, blob);
    await receive(answer, part, meter, blob);
  }
  try {
    meter.verify();
  } catch (error) {
    if (meter.isComplete) await rm(part, { force: true });
    throw error;
  }
}

/**
 * Requests the rest of a blob. Returns undefined, and deletes the part, if the registry answers that it cannot send the
 * rest.
 */
async function openRest(meter: BlobMeter, part: string, blob: WantedBlob): Promise<HttpAnswer | undefined> {
  const { registry, repository, descriptor, signal } = blob;
  if (meter.passed === 0) return registry.openBlob(repository, descriptor, signal);
  try {
    const range = { start: meter.passed, end: descriptor.size };
    return await registry.openBlob(repository, descriptor, signal, range);
  } catch (error) {
    if (!saysNoPart(error)) throw error;
    await rm(part);
    return undefined;
  }
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
  { descriptor, signal, onBytes }: WantedBlob,
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
