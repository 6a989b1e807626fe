import { createReadStream } from 'node:fs';
import { pipeline, Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { Failure } from '../failure.ts';

/** An entry of an archive. Its body must be read or skipped before the next entry is requested. */
export interface TarEntry {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly isExecutable: boolean;
  readonly body: AsyncIterable<unknown>;
}

/** A tar.gz file, and the texts of its failures. */
interface TarGzipFile {
  readonly file: string;
  /** What its failures are about. */
  readonly about: string;
  /** What to change if it cannot be read. */
  readonly hint: string;
}

/**
 * The most bytes without an entry or a piece of one. A header has up to 4 MiB, and up to 1 MiB of zeros follow the last
 * entry. But a few megabytes of gzip can contain gigabytes of zeros.
 */
const FILLING_LIMIT = 32 * 1024 * 1024;

/** The entries of a tar.gz file in their order, unpacked while they are read and not stored. */
export class TarGzip {
  readonly #given: TarGzipFile;
  readonly #signal: AbortSignal;
  readonly #extract = extract();
  readonly #entries = this.#extract[Symbol.asyncIterator]();
  #error: unknown;
  #filling = 0;

  constructor(given: TarGzipFile, signal: AbortSignal) {
    this.#given = given;
    this.#signal = signal;
    const unpacked = this.#extract;
    const isFilled = (length: number): boolean => {
      this.#filling += length;
      return this.#filling > FILLING_LIMIT;
    };
    const sink = new Writable({
      write(bytes, _encoding, done) {
        if (isFilled(bytes.length)) done(new Error('it contains no further file, but does not end'));
        else if (unpacked.write(bytes)) done();
        else unpacked.once('drain', () => done());
      },
      final(done) {
        unpacked.end(undefined);
        done();
      },
    });
    unpacked.on('close', () => sink.destroy());
    unpacked.on('error', (error) => {
      this.#error ??= error;
    });
    pipeline(
      createReadStream(given.file, { signal, highWaterMark: 256 * 1024 }),
      createGunzip(),
      sink,
      (error) => {
        if (error === null || error === undefined) return;
        this.#error ??= error;
        unpacked.destroy(error);
      },
    );
  }

  /** Returns the next entry; undefined at the end. Throws `ARCHIVE_UNREADABLE` or the signal's reason. */
  async next(): Promise<TarEntry | undefined> {
    const step = await this.#guard(() => this.#entries.next());
    if (step.done === true) {
      // A destroyed stream looks as if it had ended.
      if (this.#error !== undefined) throw this.#explain(this.#error);
      return undefined;
    }
    this.#filling = 0;
    const { header } = step.value;
    return {
      name: header.name,
      type: header.type,
      size: header.size,
      isExecutable: (header.mode & 0o100) !== 0,
      body: step.value,
    };
  }

  /** Returns the body of an entry in pieces. Throws `ARCHIVE_UNREADABLE` or the signal's reason. */
  async *read(entry: TarEntry): AsyncGenerator<Uint8Array> {
    const pieces = entry.body[Symbol.asyncIterator]();
    for (;;) {
      const piece = await this.#guard(() => pieces.next());
      this.#filling = 0;
      if (piece.done === true) return;
      if (piece.value instanceof Uint8Array) yield piece.value;
    }
  }

  /** Reads an entry to its end and ignores its body. */
  async skip(entry: TarEntry): Promise<void> {
    for await (const _ of this.read(entry));
  }

  close(): void {
    this.#extract.destroy();
  }

  async #guard<Result>(operation: () => Promise<Result>): Promise<Result> {
    try {
      return await operation();
    } catch (error) {
      throw this.#explain(this.#error ?? error);
    }
  }

  #explain(error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    const { about, hint } = this.#given;
    const detail = error instanceof Error ? error.message : String(error);
    const message = `it cannot be read as a tar.gz (${detail})`;
    return new Failure({ code: 'ARCHIVE_UNREADABLE', about, message, hint, cause: error });
  }
}
