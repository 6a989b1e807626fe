import { open } from 'node:fs/promises';
import { ConcurrencyLimiter, type LimiterWidth } from '../../lib/concurrency-limiter.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { HttpClient } from '../../lib/http/http.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { fileChanged } from '../target/package-file.ts';
import { mayReplace } from '../target/replacement.ts';
import type { PackageFile, PackageLocation, PublishTarget, TransferProgress } from '../target/target.ts';
import { keyTaken } from './kodo-refusal.ts';
import type { KodoAccess } from './kodo-region.ts';
import { KodoService } from './kodo-service.ts';
import { type KodoPart, KodoUpload, type UploadGoal } from './kodo-upload.ts';
import { sendParts } from './part-sender.ts';
import { ResumeRecord } from './resume-record.ts';

/** How packages go to a bucket of Qiniu Kodo. */
export interface QiniuSettings extends KodoAccess {
  /** Lets a package take the place of another with its name, which otherwise only `-beta` ones may. */
  readonly overwrite: boolean;
  /** Parts under way at once; adapts from 4 up to 16 when left out. */
  readonly parallel?: LimiterWidth | undefined;
}

const PROBE_KEY = '.keel-pkg-probe';
const MIME_TYPE = 'application/gzip';
const DEFAULT_PARALLEL: LimiterWidth = { start: 4, ceiling: 16 };
/** How many uploads are begun for one package: the one that was left, a new one, and one more. */
const UPLOADS_BEGUN = 3;

/** Publishes packages to a bucket of Qiniu Kodo. */
export class QiniuTarget implements PublishTarget {
  readonly name = 'qiniu';
  readonly #settings: QiniuSettings;
  readonly #http: HttpClient;
  readonly #limiter: ConcurrencyLimiter;
  #service: Promise<KodoService> | undefined;

  constructor(settings: QiniuSettings) {
    this.#settings = settings;
    this.#http = new HttpClient(settings.timeouts === undefined ? {} : { timeouts: settings.timeouts });
    this.#limiter = new ConcurrencyLimiter(settings.parallel ?? DEFAULT_PARALLEL);
  }

  /** Asks for an object, which proves the key pair, and opens and aborts an upload, which proves the rest. */
  async prove(signal: AbortSignal): Promise<void> {
    try {
      const service = await this.#open(signal);
      await service.stat(PROBE_KEY, signal);
      const goal = { key: PROBE_KEY, size: 1, replace: false };
      const upload = await KodoUpload.open(service, goal, signal);
      await upload.abort(signal);
    } finally {
      this.#http.close();
    }
  }

  async publish(
    file: PackageFile,
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<PackageLocation> {
    try {
      const service = await this.#open(signal);
      const replace = mayReplace(file.name, this.#settings.overwrite);
      const present = await service.stat(file.name, signal);
      if (present?.hash === file.qetag) return await this.#locate(service, file, 'present', signal);
      if (present !== undefined && !replace) throw keyTaken(service.bucket, file.name);
      const goal = { key: file.name, size: file.size, replace };
      await this.#deliver(service, goal, file, signal, onProgress);
      return await this.#locate(service, file, 'published', signal);
    } finally {
      this.#http.close();
    }
  }

  #open(signal: AbortSignal): Promise<KodoService> {
    this.#service ??= KodoService.open(this.#settings, this.#http, signal).catch((error: unknown) => {
      this.#service = undefined;
      throw error;
    });
    return this.#service;
  }

  async #deliver(
    service: KodoService,
    goal: UploadGoal,
    file: PackageFile,
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<void> {
    const record = new ResumeRecord(file, service.bucket);
    for (let begun = 1; ; begun += 1) {
      const { upload, held } = await this.#begin(service, goal, record, signal);
      try {
        await this.#send(upload, held, file, signal, onProgress);
        await record.forget();
        return;
      } catch (error) {
        if (failureCode(error) !== 'ABSENT') throw error;
        await record.forget();
        // An upload is gone as well when it ended well and only the answer was lost.
        const present = await service.stat(file.name, signal);
        if (present?.hash === file.qetag) return;
        if (begun >= UPLOADS_BEGUN) throw expired(file.name, error);
      }
    }
  }

  async #begin(
    service: KodoService,
    goal: UploadGoal,
    record: ResumeRecord,
    signal: AbortSignal,
  ): Promise<{ upload: KodoUpload; held: ReadonlyMap<number, KodoPart> }> {
    const left = await record.read();
    if (left !== undefined) {
      const upload = new KodoUpload(service, goal, left);
      try {
        return { upload, held: await upload.list(signal) };
      } catch (error) {
        if (!(error instanceof HttpFailure && (error.code === 'ABSENT' || error.status === 400))) throw error;
      }
    }
    const upload = await KodoUpload.open(service, goal, signal);
    await record.write(upload.uploadId);
    return { upload, held: new Map() };
  }

  async #send(
    upload: KodoUpload,
    held: ReadonlyMap<number, KodoPart>,
    { path, name, size, qetag }: PackageFile,
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<void> {
    await using file = await open(path, 'r');
    const sent = await sendParts({
      upload,
      file,
      name,
      size,
      held,
      limiter: this.#limiter,
      signal,
      onProgress,
    });
    // Compared before the object is made, so that a wrong one is never seen by anyone.
    if (sent.qetag !== qetag) {
      await upload.abort(signal);
      throw fileChanged(name);
    }
    const hash = await upload.complete(sent.etags, MIME_TYPE, signal);
    if (hash === qetag) return;
    throw new Failure({
      code: 'HASH_MISMATCH',
      about: name,
      message: `Kodo has it with the hash ${hash} instead of ${qetag}`,
      hint: 'delete it there and publish it again',
    });
  }

  async #locate(
    service: KodoService,
    file: PackageFile,
    outcome: PackageLocation['outcome'],
    signal: AbortSignal,
  ): Promise<PackageLocation> {
    const [domain] = await service.domains(signal);
    const { bucket } = service;
    const where =
      domain === undefined ? undefined : new URL(`http://${domain}/${encodeURIComponent(file.name)}`).href;
    return {
      target: this.name,
      outcome,
      address: where ?? `qiniu://${bucket}/${file.name}`,
      instruction:
        where === undefined
          ? `bind a domain to the bucket ${bucket}, or fetch it with: qshell get ${bucket} ${file.name}`
          : `curl -fLO ${where}`,
    };
  }
}

function expired(name: string, cause: unknown): Failure<'UPLOAD_EXPIRED'> {
  return new Failure({
    code: 'UPLOAD_EXPIRED',
    about: name,
    message: `Kodo forgot the upload ${UPLOADS_BEGUN} times before it ended`,
    hint: 'see whether something else aborts uploads in this bucket, such as a lifecycle rule',
    cause,
  });
}
