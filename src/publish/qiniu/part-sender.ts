import type { FileHandle } from 'node:fs/promises';
import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { Failure } from '../../lib/failure.ts';
import { hashQetagBlock, QETAG_BLOCK_SIZE, type Qetag, qetagOfBlocks } from '../../lib/qetag.ts';
import { fileChanged } from '../contract/package-file.ts';
import type { KodoPart, KodoUpload } from './kodo-upload.ts';

/** A file to send as the parts of an upload. */
interface PartSending {
  readonly upload: KodoUpload;
  readonly file: FileHandle;
  readonly name: string;
  readonly size: number;
  /** Parts stored by an earlier run. Each is compared with the file before it is skipped. */
  readonly held: ReadonlyMap<number, KodoPart>;
  /** Limits the parts in transfer; each takes 4 MiB of memory. */
  readonly limiter: ConcurrencyLimiter;
  readonly signal: AbortSignal;
  readonly onProgress: (bytesDone: number) => void;
}

/** The etags of the parts in order, and the hash of the whole file as it was read. */
interface SentParts {
  readonly etags: readonly string[];
  readonly qetag: Qetag;
}

const ATTEMPTS_FOR_A_GOOD_ETAG = 3;

/**
 * Sends a file in parts of 4 MiB, several at a time, and verifies the etag of each. Throws `HttpFailure`,
 * `FILE_CHANGED` or `PART_DAMAGED`; parts that have arrived by then stay for the next run.
 */
export async function sendParts(sending: PartSending): Promise<SentParts> {
  return await new PartSender(sending).run();
}

class PartSender {
  readonly #sending: PartSending;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #blocks: Buffer[] = [];
  readonly #etags: string[] = [];
  readonly #spare: Buffer[] = [];
  #bytesDone = 0;

  constructor(sending: PartSending) {
    this.#sending = sending;
    this.#signal = AbortSignal.any([sending.signal, this.#stop.signal]);
  }

  async run(): Promise<SentParts> {
    const { size, limiter } = this.#sending;
    const count = Math.max(1, Math.ceil(size / QETAG_BLOCK_SIZE));
    const underWay = new Set<Promise<void>>();
    const failures: unknown[] = [];
    for (let number = 1; number <= count && failures.length === 0; number += 1) {
      const release = await ConcurrencyLimiter.take([limiter], this.#signal).catch((error: unknown) => {
        failures.push(error);
      });
      if (release === undefined) break;
      const part = this.#sendPart(number)
        .catch((error: unknown) => {
          failures.push(error);
          this.#stop.abort(error);
        })
        .finally(() => {
          release();
          underWay.delete(part);
        });
      underWay.add(part);
    }
    await Promise.all(underWay);
    this.#sending.signal.throwIfAborted();
    if (failures.length > 0) throw failures[0];
    return { etags: this.#etags, qetag: qetagOfBlocks(this.#blocks) };
  }

  async #sendPart(number: number): Promise<void> {
    const buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(QETAG_BLOCK_SIZE);
    const body = await this.#read(number, buffer);
    const block = hashQetagBlock(body);
    const etag = qetagOfBlocks([block]);
    this.#blocks[number - 1] = block;
    this.#etags[number - 1] = etag;
    const held = this.#sending.held.get(number);
    if (held?.etag !== etag || held.size !== body.length) await this.#deliver(number, body, etag);
    this.#bytesDone += body.length;
    this.#sending.onProgress(this.#bytesDone);
    this.#spare.push(buffer);
  }

  async #read(number: number, buffer: Buffer): Promise<Buffer> {
    const { file, name, size } = this.#sending;
    const start = (number - 1) * QETAG_BLOCK_SIZE;
    const length = Math.min(QETAG_BLOCK_SIZE, size - start);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(buffer, filled, length - filled, start + filled);
      if (bytesRead === 0) throw fileChanged(name);
      filled += bytesRead;
    }
    return buffer.subarray(0, length);
  }

  async #deliver(number: number, body: Buffer, etag: Qetag): Promise<void> {
    const { upload, limiter, name } = this.#sending;
    const attempts = { signal: this.#signal, onRetry: () => limiter.throttled() };
    for (let attempt = 1; attempt <= ATTEMPTS_FOR_A_GOOD_ETAG; attempt += 1) {
      const answered = await upload.send(number, body, attempts);
      if (answered === etag) {
        limiter.succeeded();
        return;
      }
    }
    throw new Failure({
      code: 'PART_DAMAGED',
      about: name,
      message: `part ${number} arrived with different content in each of ${ATTEMPTS_FOR_A_GOOD_ETAG} attempts`,
      hint: 'check for a proxy between this machine and Qiniu that changes the data',
    });
  }
}
