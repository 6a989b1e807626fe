import type { Readable, Writable } from 'node:stream';
import { type Duration, milliseconds, seconds } from '../../lib/duration.ts';
import { Failure, isDeferred, isTransient } from '../../lib/failure.ts';
import { failedRequest } from '../../lib/http/http-failure.ts';
import { pause } from '../../lib/pause.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { ByteRange, Registry } from '../registry.ts';
import type { BlobSource } from './blob-source.ts';
import { BlobMeter, pour, SourceFailure } from './blob-stream.ts';
import { RequestAttempts } from './request-attempts.ts';

/** What a reader needs to know of a push. */
interface Reading {
  /** The destination. Its settings apply to sources that are not registries. */
  readonly registry: Registry;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  readonly sources: () => readonly BlobSource[];
}

/** How long a request to the destination is kept waiting for a source that broke off. */
const LONGEST_GAP = seconds(10);

/**
 * Reads a blob from its sources, with attempts of its own: a failure there costs the destination none. After a break it
 * continues at the next byte.
 */
export class BlobReader {
  readonly #reading: Reading;
  readonly #attempts = new RequestAttempts<string>();
  readonly #dead = new Map<BlobSource, unknown>();
  #source: BlobSource | undefined;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Chooses the source for the next transfer: not the last one if there are others. Throws the reason if none is left. */
  choose(): BlobSource {
    const living = this.#reading.sources().filter((source) => !this.#dead.has(source));
    const chosen = living.find((source) => source !== this.#source) ?? living[0];
    if (chosen === undefined) throw [...this.#dead.values()].at(-1) ?? new Error('a blob without a source');
    this.#source = chosen;
    return chosen;
  }

  /** Returns a meter for the chosen source, at the position of `from` or at the first byte. */
  meter(from?: BlobMeter): BlobMeter {
    const { descriptor } = this.#reading;
    return new BlobMeter(descriptor, `${this.#chosen().about}@${descriptor.digest}`, from);
  }

  /** Starts to read at the position of a meter, up to `end`. Throws `SourceFailure` or the signal's reason. */
  async begin(meter: BlobMeter, end: number, signal: AbortSignal): Promise<BlobStream> {
    const body = await this.open({ start: meter.passed, end }, signal);
    return new BlobStream(this, meter, end, body);
  }

  /** Opens a range of the blob. Throws `SourceFailure` or the signal's reason. */
  async open(range: ByteRange, signal: AbortSignal): Promise<Readable> {
    const source = this.#chosen();
    const { descriptor } = this.#reading;
    const isWhole = range.start === 0 && range.end === descriptor.size;
    try {
      return await source.open(descriptor, signal, isWhole ? undefined : range);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#refused(error);
    }
  }

  /** Resolves when the host of the chosen source accepts requests. Throws `SourceFailure` or the signal's reason. */
  async patience(signal: AbortSignal): Promise<void> {
    try {
      await this.#chosen().patience?.(signal);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#refused(error);
    }
  }

  /** A source that refuses for good, or for longer than the run, is not used any more. */
  #refused(error: unknown): SourceFailure {
    if (!isTransient(error) || isDeferred(error)) this.#dead.set(this.#chosen(), error);
    return new SourceFailure(error, 'broken');
  }

  /** Waits before the chosen source is read again in the same request. Throws `SourceFailure` if that takes too long. */
  async bide(failure: SourceFailure, position: number, signal: AbortSignal): Promise<void> {
    if (failure.flaw !== 'broken' || this.#dead.has(this.#chosen())) throw failure;
    const wait = this.#waitAfter(failure, position);
    if (wait === 'never' || wait > LONGEST_GAP) throw new SourceFailure(failure.reason, failure.flaw, wait);
    await pause(wait, signal);
  }

  /** Waits before the next transfer after a failure of a source. Throws the reason if there is no further attempt. */
  async recover(failure: SourceFailure, position: number, signal: AbortSignal): Promise<void> {
    if (this.#dead.has(this.#chosen())) {
      const isLast = this.#reading.sources().every((source) => this.#dead.has(source));
      if (isLast) throw lastWord(failure.reason);
      return;
    }
    const wait = failure.wait ?? this.#waitAfter(failure, position);
    if (wait === 'never') throw lastWord(failure.reason);
    await pause(wait, signal);
  }

  #waitAfter({ reason }: SourceFailure, position: number): Duration | 'never' {
    const isFirstSince = this.#attempts.reached(position);
    const count = this.#attempts.failed(failedRequest(reason) ?? '');
    const { registry } = this.#chosen().origin ?? this.#reading;
    try {
      const wait = registry.pauseAfter(reason, count);
      return isFirstSince && !isHeld(reason) ? milliseconds(0) : wait;
    } catch {
      return 'never';
    }
  }

  #chosen(): BlobSource {
    return this.#source ?? this.choose();
  }
}

function isHeld(reason: unknown): boolean {
  return reason instanceof Failure && reason.retryAt !== undefined;
}

function lastWord(reason: unknown): unknown {
  return reason instanceof Failure ? (reason.deferral ?? reason) : reason;
}

/** A blob, or a range of it, that is being read. It continues by itself when its source breaks off. */
class BlobStream {
  readonly meter: BlobMeter;
  readonly #reader: BlobReader;
  readonly #end: number;
  #body: Readable | undefined;

  constructor(reader: BlobReader, meter: BlobMeter, end: number, body: Readable) {
    this.#reader = reader;
    this.meter = meter;
    this.#end = end;
    this.#body = body;
  }

  /** Moves all bytes to `sink`, without ending it. Throws `SourceFailure`, the error of the sink, or the signal's reason. */
  async pour(sink: Writable, signal: AbortSignal, onBytes?: (count: number) => void): Promise<void> {
    const { meter } = this;
    for (;;) {
      try {
        const start = meter.passed;
        this.#body ??= await this.#reader.open({ start, end: this.#end }, signal);
        return await pour({ source: this.#body, sink, meter, length: this.#end - start, signal, onBytes });
      } catch (error) {
        if (!(error instanceof SourceFailure)) throw error;
        this.close();
        await this.#reader.bide(error, meter.passed, signal);
      }
    }
  }

  /** Ends the reading. */
  close(): void {
    this.#body?.destroy();
    this.#body = undefined;
  }
}
