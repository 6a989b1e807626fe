import { z } from 'zod';
import type { Blob, BlobStore } from './blob-store.ts';
import type { CacheScope } from './runtime-token.ts';

const CreateRequest = z.object({ key: z.string(), version: z.string() });
const FinalizeRequest = z.object({ key: z.string(), version: z.string(), size_bytes: z.string() });
const DownloadRequest = z.object({
  key: z.string(),
  version: z.string(),
  restore_keys: z.array(z.string()).default([]),
});

/** A cache as the service keeps it. */
export interface CacheEntry {
  readonly id: number;
  readonly key: string;
  readonly version: string;
  readonly branch: string;
  readonly blob: Blob;
  finished: boolean;
}

/** What a call of the service answers: a status and a JSON body. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The cache service, version 2: entries that never change, found by exact key or by prefix, newest first. */
export class CacheEntries {
  readonly entries: CacheEntry[] = [];
  readonly #blobs: BlobStore;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  create(request: unknown, scopes: readonly CacheScope[], origin: string): Answer {
    const { key, version } = CreateRequest.parse(request);
    const branch = scopes.find(({ access }) => access === 'write')?.branch;
    if (branch === undefined) {
      return {
        status: 200,
        body: { ok: false, message: 'cache write denied: token has no writable scopes' },
      };
    }
    const exists = this.entries.some(
      (entry) => entry.key === key && entry.version === version && entry.branch === branch,
    );
    if (exists) return { status: 409, body: { code: 'already_exists', msg: 'cache entry already exists' } };
    const blob = this.#blobs.create();
    this.entries.push({ id: this.entries.length + 1, key, version, branch, blob, finished: false });
    return { status: 200, body: { ok: true, signed_upload_url: this.#blobs.sign(blob, origin) } };
  }

  finalize(request: unknown, scopes: readonly CacheScope[]): Answer {
    const { key, version, size_bytes: size } = FinalizeRequest.parse(request);
    const branch = scopes.find(({ access }) => access === 'write')?.branch;
    const entry = this.entries.find(
      (candidate) => candidate.key === key && candidate.version === version && candidate.branch === branch,
    );
    if (entry === undefined) return { status: 404, body: { code: 'not_found', msg: 'no such reservation' } };
    if (String(entry.blob.bytes?.length) !== size) {
      return { status: 400, body: { code: 'invalid_argument', msg: 'size does not match the upload' } };
    }
    entry.finished = true;
    return { status: 200, body: { ok: true, entry_id: String(entry.id) } };
  }

  /** Puts a finished entry in, as a job did that is over. */
  keep({
    bytes,
    ...entry
  }: Pick<CacheEntry, 'key' | 'version' | 'branch'> & { readonly bytes: Buffer }): void {
    const blob = this.#blobs.create();
    blob.bytes = bytes;
    this.entries.push({ ...entry, id: this.entries.length + 1, blob, finished: true });
  }

  /** Answers a lookup of the old protocol, which GitHub Enterprise Server speaks. */
  findOld(query: URLSearchParams, scopes: readonly CacheScope[], origin: string): Answer {
    const [key = '', ...prefixes] = (query.get('keys') ?? '').split(',');
    const { status, body } = this.find(
      { key, version: query.get('version') ?? '', restore_keys: prefixes },
      scopes,
      origin,
    );
    if (status !== 200)
      return { status, body: { message: 'cache read denied: token has no readable scopes' } };
    const found = z
      .object({ ok: z.boolean(), signed_download_url: z.string(), matched_key: z.string() })
      .safeParse(body);
    if (!found.success) return { status: 204, body: undefined };
    const { signed_download_url: archiveLocation, matched_key: cacheKey } = found.data;
    return { status: 200, body: { archiveLocation, cacheKey, scope: 'refs/heads/main' } };
  }

  find(request: unknown, scopes: readonly CacheScope[], origin: string): Answer {
    const { key, version, restore_keys: prefixes } = DownloadRequest.parse(request);
    if (scopes.length === 0) {
      const msg = 'cache read denied: token has no readable scopes';
      return { status: 403, body: { code: 'permission_denied', msg } };
    }
    // The job's own branch is searched with all keys before any other branch is looked at.
    for (const { branch } of scopes) {
      const readable = this.entries
        .filter((entry) => entry.finished && entry.version === version && entry.branch === branch)
        .toReversed();
      const found =
        readable.find((entry) => entry.key === key) ??
        [key, ...prefixes]
          .map((prefix) => readable.find((entry) => entry.key.startsWith(prefix)))
          .find((entry) => entry !== undefined);
      if (found !== undefined) {
        const address = this.#blobs.sign(found.blob, origin);
        return { status: 200, body: { ok: true, signed_download_url: address, matched_key: found.key } };
      }
    }
    return { status: 200, body: { ok: false } };
  }
}
