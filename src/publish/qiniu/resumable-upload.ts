import { open } from 'node:fs/promises';
import type { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { fileChanged } from '../contract/package-file.ts';
import type { PackageFile, TransferProgress } from '../contract/target.ts';
import type { KodoService } from './kodo-service.ts';
import { type KodoPart, KodoUpload, type UploadGoal } from './kodo-upload.ts';
import { sendParts } from './part-sender.ts';
import { ResumeRecord } from './resume-record.ts';

/** A package, and the bucket to upload it to. */
interface ResumableUploadSettings {
  readonly service: KodoService;
  readonly file: PackageFile;
  /** Whether it may replace another object of its name. */
  readonly replace: boolean;
  /** Limits the parts in transfer. */
  readonly limiter: ConcurrencyLimiter;
  readonly signal: AbortSignal;
  readonly onProgress: TransferProgress;
}

/** An open upload, and the parts of it that an earlier run stored. */
interface BegunUpload {
  readonly upload: KodoUpload;
  readonly held: ReadonlyMap<number, KodoPart>;
}

const MIME_TYPE = 'application/gzip';
/** How many uploads are tried for one package: that of an earlier run, a new one, and another new one. */
const UPLOADS_BEGUN = 3;

/** Uploads one package to a bucket, resuming the upload of an earlier run. */
export class ResumableUpload {
  readonly #settings: ResumableUploadSettings;
  readonly #goal: UploadGoal;
  readonly #record: ResumeRecord;

  constructor(settings: ResumableUploadSettings) {
    const { service, file, replace } = settings;
    this.#settings = settings;
    this.#goal = { key: file.name, size: file.size, replace };
    this.#record = new ResumeRecord(file, service.bucket);
  }

  /** Throws `HttpFailure`, `ALREADY_PUBLISHED`, `FILE_CHANGED`, `PART_DAMAGED`, `HASH_MISMATCH` or `UPLOAD_EXPIRED`. */
  async run(): Promise<void> {
    const { service, file, signal } = this.#settings;
    for (let begun = 1; ; begun += 1) {
      const upload = await this.#begin();
      try {
        await this.#send(upload);
        await this.#record.forget();
        return;
      } catch (error) {
        if (failureCode(error) !== 'ABSENT') throw error;
        await this.#record.forget();
        // The upload is also gone if it was completed and only the answer was lost.
        const present = await service.stat(file.name, signal);
        if (present?.hash === file.qetag) return;
        if (begun >= UPLOADS_BEGUN) throw expired(file.name, error);
      }
    }
  }

  async #begin(): Promise<BegunUpload> {
    const { service, signal } = this.#settings;
    const left = await this.#record.read();
    if (left !== undefined) {
      const upload = new KodoUpload(service, this.#goal, left);
      try {
        return { upload, held: await upload.list(signal) };
      } catch (error) {
        if (!(error instanceof HttpFailure && (error.code === 'ABSENT' || error.status === 400))) throw error;
      }
    }
    const upload = await KodoUpload.open(service, this.#goal, signal);
    await this.#record.write(upload.uploadId);
    return { upload, held: new Map() };
  }

  async #send({ upload, held }: BegunUpload): Promise<void> {
    const { file, limiter, signal, onProgress } = this.#settings;
    const { name, size, qetag } = file;
    await using handle = await open(file.path, 'r');
    const sent = await sendParts({ upload, file: handle, name, size, held, limiter, signal, onProgress });
    // Compared before the object is created, so that a wrong one is never visible.
    if (sent.qetag !== qetag) {
      await upload.abort(signal);
      throw fileChanged(name);
    }
    const hash = await upload.complete(sent.etags, MIME_TYPE, signal);
    if (hash === qetag) return;
    throw new Failure({
      code: 'HASH_MISMATCH',
      about: name,
      message: `Kodo stored it with the hash ${hash} instead of ${qetag}`,
      hint: 'delete it in the bucket and publish it again',
    });
  }
}

function expired(name: string, cause: unknown): Failure<'UPLOAD_EXPIRED'> {
  return new Failure({
    code: 'UPLOAD_EXPIRED',
    about: name,
    message: `Kodo lost the upload ${UPLOADS_BEGUN} times before it finished`,
    hint: 'check whether a lifecycle rule or another client aborts uploads in this bucket',
    cause,
  });
}
