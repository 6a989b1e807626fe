import { createHash, type Hash } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import type { Duration } from '../../lib/duration.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { explainNetworkError, HttpFailure } from '../../lib/http/http-failure.ts';
import { digestAlgorithm, digestHex } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { RegistryFailure } from '../registry-failure.ts';

/**
 * Counts and hashes the bytes of a blob in transfer. A copy of it is a point from which the transfer can be resumed.
 */
export class BlobMeter {
  readonly #descriptor: Pick<Descriptor, 'digest' | 'size'>;
  readonly #about: string;
  readonly #hash: Hash;
  #passed: number;

  constructor(descriptor: Pick<Descriptor, 'digest' | 'size'>, about: string, from?: BlobMeter) {
    this.#descriptor = descriptor;
    this.#about = about;
    this.#hash = from === undefined ? createHash(digestAlgorithm(descriptor.digest)) : from.#hash.copy();
    this.#passed = from?.passed ?? 0;
  }

  get passed(): number {
    return this.#passed;
  }

  get isComplete(): boolean {
    return this.#passed === this.#descriptor.size;
  }

  /** Adds the next bytes. Throws `SIZE_MISMATCH` as soon as there are more than `end` bytes in all. */
  add(bytes: Uint8Array, end: number): void {
    this.#passed += bytes.length;
    if (this.#passed > end) {
      throw this.#mismatch('SIZE_MISMATCH', `it is longer than the ${end} bytes announced`);
    }
    this.#hash.update(bytes);
  }

  /** Returns the failure for a source that ended too soon. */
  truncated(): RegistryFailure {
    const message = `it ended after ${this.#passed} of ${this.#descriptor.size} bytes`;
    return this.#mismatch('SIZE_MISMATCH', message);
  }

  /** Returns the failure for a source that broke off with an error. It names the source, not the destination. */
  broken(error: unknown): HttpFailure {
    return explainNetworkError(error, this.#about);
  }

  /** Checks that exactly the announced bytes have passed. Throws `SIZE_MISMATCH` or `DIGEST_MISMATCH`. */
  verify(): void {
    if (!this.isComplete) throw this.truncated();
    const hex = this.#hash.copy().digest('hex');
    if (hex !== digestHex(this.#descriptor.digest)) {
      throw this.#mismatch('DIGEST_MISMATCH', `its content hashes to ${hex.slice(0, 12)}… instead`);
    }
  }

  #mismatch(code: 'SIZE_MISMATCH' | 'DIGEST_MISMATCH', message: string): RegistryFailure {
    return new HttpFailure({ code, about: this.#about, message, transient: true });
  }
}

/**
 * A source that failed while its bytes were sent. It broke off and may continue (`broken`), or its bytes are `wrong`. It
 * is no `HttpFailure`, because no limit of the destination may learn from it.
 */
export class SourceFailure extends Failure {
  override readonly name = 'SourceFailure';
  readonly reason: unknown;
  readonly flaw: 'broken' | 'wrong';
  /** How long to wait before the next attempt, if that was decided; `never` if there is none. */
  readonly wait: Duration | 'never' | undefined;

  constructor(reason: unknown, flaw: 'broken' | 'wrong', wait?: Duration | 'never') {
    const { about = 'source', message = 'it failed' } = reason instanceof Failure ? reason : {};
    super({ code: failureCode(reason), about, message, cause: reason });
    this.reason = reason;
    this.flaw = flaw;
    this.wait = wait;
  }
}

/**
 * Moves exactly `length` bytes from `source` to `sink` and hashes them. Ends neither. The last bytes of a blob are sent
 * only after its digest was verified, so that a wrong blob is never complete. Throws `SourceFailure`, with
 * `SIZE_MISMATCH` or `DIGEST_MISMATCH` among its reasons, the error of the sink, or the signal's reason.
 */
export async function pour(options: {
  readonly source: Readable;
  readonly sink: Writable;
  readonly meter: BlobMeter;
  readonly length: number;
  readonly signal: AbortSignal;
  readonly onBytes?: ((count: number) => void) | undefined;
}): Promise<void> {
  const { source, sink, meter, length, signal, onBytes } = options;
  signal.throwIfAborted();
  if (length === 0) return measure(meter, Buffer.alloc(0), meter.passed);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const end = meter.passed + length;
  const take = (bytes: Buffer): void => {
    try {
      measure(meter, bytes, end);
      onBytes?.(bytes.length);
      const isDrained = sink.write(bytes);
      if (meter.passed === end) resolve();
      else if (!isDrained) source.pause();
    } catch (error) {
      reject(error);
    }
  };
  const resume = (): void => void source.resume();
  const breakOff = (): void => reject(new SourceFailure(meter.truncated(), 'broken'));
  const fail = (error: unknown): void => reject(new SourceFailure(meter.broken(error), 'broken'));
  const abort = (): void => reject(signal.reason);
  source.on('data', take).once('end', breakOff).once('error', fail);
  sink.on('drain', resume).once('error', reject);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await promise;
  } finally {
    source.off('data', take).off('end', breakOff).off('error', fail);
    sink.off('drain', resume).off('error', reject);
    signal.removeEventListener('abort', abort);
  }
}

function measure(meter: BlobMeter, bytes: Uint8Array, end: number): void {
  try {
    meter.add(bytes, end);
    if (meter.isComplete) meter.verify();
  } catch (error) {
    throw new SourceFailure(error, 'wrong');
  }
}
