import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { Failure, failureCode } from '../../lib/failure.ts';
import { codingsOf } from '../../lib/http/content-coding.ts';
import { discardBody, type HttpAnswer, type HttpClient } from '../../lib/http/http.ts';
import { explainNetworkError, HttpFailure } from '../../lib/http/http-failure.ts';
import { readJson } from '../../lib/json.ts';
import { type RetryPolicy, retry } from '../../lib/retry.ts';
import { formatSize } from '../../lib/text/size.ts';
import { redactUrl } from '../../registry/endpoint.ts';
import { type Digest, digestAlgorithm } from '../../registry/oci/digest.ts';
import { onDisk } from './disk-failure.ts';
import { digestFile, FileMeter } from './file-digest.ts';
import { takeFile } from './shared-file.ts';
import { explainBreak, isArchive, openWebFile, type WebFileFailure } from './web-file.ts';

/** How downloads behave; connecting and stalls are limited by the HTTP client's own timeouts. */
export interface DownloadSettings {
  readonly http: HttpClient;
  readonly retry: RetryPolicy;
  /** In bytes; larger than any component. */
  readonly sizeLimit: number;
  readonly signal: AbortSignal;
  /** Called for each file that another run is fetching into the folder. */
  readonly onWait?: (() => void) | undefined;
}

interface DownloadRequest {
  readonly url: URL;
  /** The place of the file once it is complete and correct. */
  readonly file: string;
  /** The digest that it must have; undefined for a file without a checksum. */
  readonly expected: Digest | undefined;
  /** Called after each piece with the number of bytes that are there. */
  readonly onProgress?: ((done: number) => void) | undefined;
  readonly onRetry?: ((error: unknown) => void) | undefined;
}

/** A file that is complete, correct and in its place. */
interface Download {
  readonly file: string;
  readonly size: number;
  readonly sha256: Digest;
  /** Whether it was already there, so that nothing was fetched. */
  readonly wasThere: boolean;
}

function mismatch(request: DownloadRequest, got: Digest, isTransient: boolean): WebFileFailure {
  return new HttpFailure({
    code: 'DIGEST_MISMATCH',
    about: `${basename(request.file)} from ${redactUrl(request.url)}`,
    message: `expected ${request.expected}, got ${got}; the file was deleted`,
    hint: 'try again; if this happens again, the server, a proxy or the checksum is wrong, and you must not use the file',
    transient: isTransient,
  });
}

async function findThere(request: DownloadRequest, signal: AbortSignal): Promise<Download | undefined> {
  const { file, expected } = request;
  if (expected === undefined) return undefined;
  try {
    const found = await digestFile(file, expected, signal);
    return found.compared === expected
      ? { file, size: found.size, sha256: found.sha256, wasThere: true }
      : undefined;
  } catch (error) {
    if (failureCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Returns the position of the first byte and the whole length that an answer announces. */
function rangeOf(answer: HttpAnswer): { start: number; total: number | undefined } {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers['content-range'] ?? '');
  if (answer.status === 206) {
    const total = range?.[2] === undefined || range[2] === '*' ? undefined : Number(range[2]);
    return { start: range === null ? -1 : Number(range[1]), total };
  }
  const length = answer.headers['content-length'];
  return { start: 0, total: length === undefined ? undefined : Number(length) };
}

const noteShape = z.object({ url: z.string(), validator: z.string() });

/**
 * Returns the strong ETag or the date with which a server can check whether the rest of a file belongs to its beginning.
 */
function validatorOf(headers: {
  etag?: string | undefined;
  'last-modified'?: string | undefined;
}): string | undefined {
  const { etag } = headers;
  return etag !== undefined && !etag.startsWith('W/') ? etag : headers['last-modified'];
}

/**
 * The beginning of a download, next to its final place, and a note that identifies the download. Both outlive the run, so
 * that the next one continues from there.
 */
class PartialFile {
  readonly path: string;
  readonly #final: string;
  readonly #note: string;
  readonly #url: string;

  constructor(final: string, url: URL) {
    this.#final = final;
    this.path = `${final}.part`;
    this.#note = `${final}.part.json`;
    this.#url = url.href;
  }

  /** Returns the size of the beginning and the validator for requesting the rest; undefined if nothing is usable. */
  async beginning(): Promise<{ readonly size: number; readonly validator: string } | undefined> {
    try {
      const note = noteShape.parse(readJson(await readFile(this.#note)));
      const { size } = await stat(this.path);
      return note.url === this.#url && size > 0 ? { size, validator: note.validator } : undefined;
    } catch (error) {
      // Without a readable note the download starts over.
      if (error instanceof z.ZodError || error instanceof SyntaxError || failureCode(error) === 'ENOENT')
        return undefined;
      throw error;
    }
  }

  /** Starts over, and notes the download. Without a validator, a broken download must start over again. */
  async begin(validator: string | undefined): Promise<void> {
    await rm(this.path, { force: true });
    if (validator === undefined) await rm(this.#note, { force: true });
    else await writeFile(this.#note, JSON.stringify({ url: this.#url, validator }));
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(this.#note, { force: true });
  }

  /** Moves the complete file to its place. */
  async finish(): Promise<void> {
    await rename(this.path, this.#final);
    await rm(this.#note, { force: true });
  }
}

/** One attempt at a download. */
class Transfer {
  readonly #request: DownloadRequest;
  readonly #settings: DownloadSettings;
  readonly #partial: PartialFile;

  constructor(request: DownloadRequest, settings: DownloadSettings) {
    this.#request = request;
    this.#settings = settings;
    this.#partial = new PartialFile(request.file, request.url);
  }

  /** Fetches the missing part and puts the file in its place. */
  async run(attempt: number): Promise<Download> {
    const beginning = await this.#onDisk(() => this.#partial.beginning());
    const answer = await openWebFile({
      http: this.#settings.http,
      url: this.#request.url,
      headers:
        beginning === undefined ? {} : { range: `bytes=${beginning.size}-`, 'if-range': beginning.validator },
      expected: beginning === undefined ? [200] : [200, 206, 416],
      signal: this.#settings.signal,
    });
    const meter = new FileMeter(this.#request.expected);
    const isResumed = beginning !== undefined && answer.status !== 200;
    if (isResumed) await meter.addFile(this.#partial.path, this.#settings.signal);
    if (answer.status === 416) await this.#requireWhole(answer, meter.size);
    else await this.#receive(answer, meter, isResumed);
    return this.#finish(meter, isResumed || attempt === 1);
  }

  /** Servers refuse a range after the end, even if nothing is missing: then the answer has the length. */
  async #requireWhole(answer: HttpAnswer, size: number): Promise<void> {
    const length = /^bytes \*\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1];
    discardBody(answer);
    if (Number(length) === size) return;
    await this.#partial.discard();
    throw this.#broken('SIZE_MISMATCH', 'it changed since the last attempt');
  }

  async #receive(answer: HttpAnswer, meter: FileMeter, isResumed: boolean): Promise<void> {
    const { start, total } = rangeOf(answer);
    // The beginning is stored decoded, so a part of an encoded answer does not continue it.
    const isOfAnother = isResumed && codingsOf(answer.headers).length > 0 && !isArchive(this.#request.url);
    if (start !== meter.size || isOfAnother) {
      answer.body.destroy();
      await this.#partial.discard();
      throw this.#broken('SERVER_BROKEN', 'the server sent a different part than requested');
    }
    if (!isResumed) await this.#onDisk(() => this.#partial.begin(validatorOf(answer.headers)));
    const { sizeLimit } = this.#settings;
    const tooLarge = this.#broken('SIZE_MISMATCH', `it is larger than ${formatSize(sizeLimit)}`, false);
    const file = await this.#onDisk(() => open(this.#partial.path, isResumed ? 'a' : 'w'));
    try {
      if ((total ?? 0) > sizeLimit) throw tooLarge;
      for await (const bytes of answer.body) {
        if (!Buffer.isBuffer(bytes)) continue;
        meter.add(bytes);
        if (meter.size > sizeLimit) throw tooLarge;
        await this.#onDisk(() => file.writeFile(bytes));
        this.#request.onProgress?.(meter.size);
      }
    } catch (error) {
      answer.body.destroy();
      // A file that is too large stays too large, and would fill the disk for nothing.
      if (error === tooLarge) await this.#partial.discard();
      this.#settings.signal.throwIfAborted();
      const { host } = answer.url;
      const failure = error instanceof Failure ? error : explainNetworkError(error, host);
      throw explainBreak(failure, this.#request.url, host);
    } finally {
      await file.close();
    }
    if (total !== undefined && meter.size !== total) {
      throw this.#broken('SIZE_MISMATCH', `it ended after ${meter.size} of ${total} bytes`);
    }
  }

  async #finish(meter: FileMeter, deservesMore: boolean): Promise<Download> {
    const { expected, file } = this.#request;
    if (expected !== undefined) {
      const got = meter.digest(digestAlgorithm(expected));
      if (got !== expected) {
        await this.#partial.discard();
        // The part of an earlier run may be wrong, or a byte changed in transit. If a new attempt is wrong too, it gives up.
        throw mismatch(this.#request, got, deservesMore);
      }
    }
    await this.#onDisk(() => this.#partial.finish());
    return { file, size: meter.size, sha256: meter.digest('sha256'), wasThere: false };
  }

  #onDisk<Result>(operation: () => Promise<Result>): Promise<Result> {
    return onDisk(this.#request.file, '--download-output', operation);
  }

  #broken(code: 'SIZE_MISMATCH' | 'SERVER_BROKEN', message: string, transient = true): WebFileFailure {
    return new HttpFailure({ code, about: redactUrl(this.#request.url), message, transient });
  }
}

/**
 * Downloads a file and hashes it on the way. A broken download continues where it stopped, also one of an earlier run, if
 * the server confirms that the file is the same. Only a whole file with the expected digest gets its name. A file that is
 * already there with this digest is used. If another run is fetching the file, this one waits for it. Throws `HttpFailure`,
 * among them `DIGEST_MISMATCH` and `SIZE_MISMATCH`, `DISK_FULL`, `DISK_REFUSED`, or the signal's reason.
 */
export async function download(request: DownloadRequest, settings: DownloadSettings): Promise<Download> {
  const { signal } = settings;
  await onDisk(request.file, '--download-output', () => mkdir(dirname(request.file), { recursive: true }));
  const there = await findThere(request, signal);
  if (there !== undefined) return there;
  using _ = await takeFile(request.file, { ...settings, flag: '--download-output' });
  // Another run may have fetched it meanwhile.
  const fetched = await findThere(request, signal);
  if (fetched !== undefined) return fetched;
  return await retry({ policy: settings.retry, signal, onRetry: request.onRetry }, (attempt) =>
    new Transfer(request, settings).run(attempt),
  );
}
