import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { etagOfParts } from './etag.ts';
import type { Received, StoredObject } from './objects.ts';
import { Refusal } from './signatures.ts';

interface Upload {
  readonly bucket: string;
  readonly key: string | undefined;
  readonly expireAt: number;
  readonly parts: Map<number, Received>;
}

const completionShape = z.object({
  parts: z.array(z.object({ partNumber: z.number().int(), etag: z.string() })),
  mimeType: z.string().optional(),
});

const SMALLEST_PART = 1024 * 1024;
const LARGEST_PART = 1024 * 1024 * 1024;
const PARTS_PER_PAGE = 1000;

/** The uploads in parts that are open (Kodo's second version of them). */
export class Uploads {
  readonly #open = new Map<string, Upload>();
  readonly #lifetime: number;
  readonly #pageSize: number;
  readonly #now: () => number;

  constructor(settings: { lifetime: number; now: () => number; pageSize?: number }) {
    this.#lifetime = settings.lifetime;
    this.#now = settings.now;
    this.#pageSize = settings.pageSize ?? PARTS_PER_PAGE;
  }

  /** How many are open: each is a partial upload that someone pays for. */
  get count(): number {
    return this.#open.size;
  }

  open(bucket: string, key: string | undefined): { uploadId: string; expireAt: number } {
    const uploadId = randomBytes(12).toString('hex');
    const expireAt = Math.floor((this.#now() + this.#lifetime) / 1000);
    this.#open.set(uploadId, { bucket, key, expireAt, parts: new Map() });
    return { uploadId, expireAt };
  }

  /** Returns an open upload of that bucket and key; throws 612 for one that ended, expired or never was. */
  find(uploadId: string, bucket: string, key: string | undefined): Upload {
    const upload = this.#open.get(uploadId);
    if (upload === undefined || upload.expireAt * 1000 <= this.#now())
      throw new Refusal(612, 'no such uploadId');
    if (upload.bucket !== bucket || upload.key !== key) throw new Refusal(400, 'uploadId does not match');
    return upload;
  }

  addPart(upload: Upload, partNumber: number, part: Received): void {
    if (!(partNumber >= 1 && partNumber <= 10_000)) throw new Refusal(400, 'invalid part number');
    if (part.hash.size > LARGEST_PART) throw new Refusal(413, 'part is too large');
    upload.parts.set(partNumber, part);
  }

  list(upload: Upload, uploadId: string, marker: number, limit: number): object {
    const all = [...upload.parts]
      .sort(([left], [right]) => left - right)
      .filter(([number]) => number > marker);
    const page = all.slice(0, Math.min(limit, this.#pageSize));
    return {
      uploadId,
      expireAt: upload.expireAt,
      partNumberMarker: page.length < all.length ? (page.at(-1)?.[0] ?? 0) : 0,
      parts: page.map(([partNumber, part]) => ({
        partNumber,
        etag: part.etag,
        size: part.hash.size,
        putTime: 0,
      })),
    };
  }

  /** Puts the named parts together; the upload stays open until `close`. */
  assemble(upload: Upload, body: Buffer): Omit<StoredObject, 'key'> {
    const completion = completionShape.safeParse(JSON.parse(body.toString('utf8')));
    if (!completion.success || completion.data.parts.length === 0) throw new Refusal(400, 'invalid parts');
    let last = 0;
    const parts = completion.data.parts.map(({ partNumber, etag }) => {
      const part = upload.parts.get(partNumber);
      if (partNumber <= last) throw new Refusal(400, 'invalid part order');
      if (part === undefined || part.etag !== etag) throw new Refusal(400, 'invalid part etag');
      last = partNumber;
      return part;
    });
    if (parts.slice(0, -1).some((part) => part.hash.size < SMALLEST_PART))
      throw new Refusal(400, 'part too small');
    return {
      hash: etagOfParts(parts.map((part) => part.hash)),
      size: parts.reduce((sum, part) => sum + part.hash.size, 0),
      mimeType: completion.data.mimeType ?? 'application/octet-stream',
      putTime: this.#now() * 10_000,
      parts,
    };
  }

  close(uploadId: string): void {
    this.#open.delete(uploadId);
  }

  /** Lets every open upload expire. */
  expireAll(): void {
    this.#open.clear();
  }
}
