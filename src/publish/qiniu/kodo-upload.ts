import { createHash } from 'node:crypto';
import { z } from 'zod';
import { failureCode } from '../../lib/failure.ts';
import { fieldOf, listOf, TEXT_FIELD } from '../../lib/zero-value.ts';
import type { Attempts, KodoService, UploadRequest } from './kodo-service.ts';

/** A part that Kodo has stored. */
export interface KodoPart {
  readonly etag: string;
  readonly size: number;
}

/** The object that an upload creates, and whether it may replace another one of its name. */
export interface UploadGoal {
  readonly key: string;
  readonly size: number;
  readonly replace: boolean;
}

/** A request about an upload; `suffix` is the end of its path. */
type UploadCall = Pick<UploadRequest, 'method' | 'body' | 'type' | 'md5'> & { readonly suffix: string };

const openedShape = z.object({ uploadId: z.string().min(1), expireAt: fieldOf(z.number()) });
const partShape = z.object({ etag: z.string(), md5: TEXT_FIELD });
const pageShape = z.object({
  partNumberMarker: fieldOf(z.number()),
  parts: listOf(z.object({ partNumber: z.number().int(), etag: z.string(), size: z.number() })),
});
const completedShape = z.object({ hash: z.string(), key: TEXT_FIELD });

/** A multipart upload, version 2. https://developer.qiniu.com/kodo/7458/multipartupload */
export class KodoUpload {
  readonly uploadId: string;
  readonly #service: KodoService;
  readonly #goal: UploadGoal;

  constructor(service: KodoService, goal: UploadGoal, uploadId: string) {
    this.#service = service;
    this.#goal = goal;
    this.uploadId = uploadId;
  }

  /** Returns a new upload. Throws `HttpFailure`. */
  static async open(service: KodoService, goal: UploadGoal, signal: AbortSignal): Promise<KodoUpload> {
    const { key } = goal;
    const request = { method: 'POST', path: pathOf(service, goal), key, token: tokenFor(service, goal) };
    const opened = await service.upload(openedShape, request, { signal });
    return new KodoUpload(service, goal, opened.uploadId);
  }

  /** Sends a part and returns its etag. */
  async send(number: number, body: Buffer, attempts: Attempts): Promise<string> {
    const md5 = createHash('md5').update(body).digest('hex');
    const request = { method: 'PUT', suffix: `/${number}`, body, md5, type: 'application/octet-stream' };
    return (await this.#call(partShape, request, attempts)).etag;
  }

  /** Returns the stored parts by number. Throws `ABSENT` if the upload has expired or ended. */
  async list(signal: AbortSignal): Promise<Map<number, KodoPart>> {
    const found = new Map<number, KodoPart>();
    for (let marker = 0; ; ) {
      const suffix = `?max-parts=1000&part-number-marker=${marker}`;
      const page = await this.#call(pageShape, { method: 'GET', suffix }, { signal });
      for (const { partNumber, etag, size } of page.parts) found.set(partNumber, { etag, size });
      const next = page.partNumberMarker ?? 0;
      if (next <= marker) return found;
      marker = next;
    }
  }

  /** Creates the object from its parts, given by their etags in order, and returns its hash. */
  async complete(etags: readonly string[], mimeType: string, signal: AbortSignal): Promise<string> {
    const parts = etags.map((etag, index) => ({ partNumber: index + 1, etag }));
    const body = Buffer.from(JSON.stringify({ parts, fname: this.#goal.key, mimeType }));
    const request = { method: 'POST', suffix: '', body, type: 'application/json' };
    return (await this.#call(completedShape, request, { signal })).hash;
  }

  /** Deletes the upload with all its parts, unless it is already gone. */
  async abort(signal: AbortSignal): Promise<void> {
    try {
      await this.#call(z.unknown(), { method: 'DELETE', suffix: '' }, { signal });
    } catch (error) {
      if (failureCode(error) !== 'ABSENT') throw error;
    }
  }

  #call<Shape extends z.ZodType>(
    shape: Shape,
    { suffix, ...request }: UploadCall,
    attempts: Attempts,
  ): Promise<z.infer<Shape>> {
    const path = `${pathOf(this.#service, this.#goal)}/${this.uploadId}${suffix}`;
    const token = tokenFor(this.#service, this.#goal);
    return this.#service.upload(shape, { ...request, path, token, key: this.#goal.key }, attempts);
  }
}

function pathOf(service: KodoService, goal: UploadGoal): string {
  const name = Buffer.from(goal.key).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  return `/buckets/${service.bucket}/objects/${name}/uploads`;
}

function tokenFor(service: KodoService, goal: UploadGoal): string {
  return service.uploadToken(goal.key, goal.size, goal.replace);
}
