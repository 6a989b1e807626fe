import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { failureCode } from '../../lib/failure.ts';
import { parseRetryAfter } from '../../lib/http/answer-status.ts';
import { type BodyWriter, type HttpAnswer, type HttpClient, readBody } from '../../lib/http/http.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { parseJson } from '../../lib/json.ts';
import { type RetryPolicy, retry } from '../../lib/retry.ts';
import { Secrets } from '../../registry/secrets.ts';
import { understand } from '../target/answer-shape.ts';
import { explainReleaseAnswer } from './release-refusal.ts';
import { releaseUploadAddress } from './release-upload-address.ts';

/** Where releases are made, and as whom. */
export interface ReleaseAccess {
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string;
  /** `https://api.github.com`, or that of a GitHub Enterprise Server. */
  readonly api: URL;
  readonly retry: RetryPolicy;
}

const assetShape = z.object({
  id: z.number(),
  name: z.string(),
  size: z.number(),
  state: z.string(),
  digest: z.string().nullish(),
  browser_download_url: z.string(),
});
const releaseShape = z.object({
  id: z.number(),
  tag_name: z.string(),
  body: z.string().nullish(),
  draft: z.boolean(),
  html_url: z.string(),
  upload_url: z.string(),
});

export type ReleaseAsset = z.infer<typeof assetShape>;
export type GithubRelease = z.infer<typeof releaseShape>;

/** A stretch of a file; `end` is the first byte after it. */
export interface FileRange {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const ANSWER_LIMIT = 32 * 1024 * 1024;
const PAGE_SIZE = 100;
/** Releases are looked through for a draft; no one keeps a draft behind so many newer ones. */
const DRAFT_SEARCH_PAGES = 5;

/** The part of GitHub's REST API that deals with releases. https://docs.github.com/rest/releases */
export class GithubReleases {
  readonly #access: ReleaseAccess;
  readonly #http: HttpClient;
  readonly #secrets = new Secrets();

  constructor(access: ReleaseAccess, http: HttpClient) {
    this.#access = access;
    this.#http = http;
    this.#secrets.add(access.token);
  }

  /**
   * Proves that the token may write releases, by asking for one without a tag: who may not is told so (403, 404)
   * before the request's content is looked at (422). Throws `ReleaseRefusal`.
   */
  async prove(signal: AbortSignal): Promise<void> {
    try {
      await this.#json(z.unknown(), 'POST', 'releases', signal, {});
    } catch (error) {
      if (!(error instanceof HttpFailure && error.status === 422)) throw error;
    }
  }

  /** Returns the release of a tag, published ones first, then drafts; undefined where there is none. */
  async find(tag: string, signal: AbortSignal): Promise<GithubRelease | undefined> {
    try {
      const path = `releases/tags/${encodeURIComponent(tag)}`;
      return await this.#json(releaseShape, 'GET', path, signal);
    } catch (error) {
      if (failureCode(error) !== 'ABSENT') throw error;
    }
    for (let page = 1; page <= DRAFT_SEARCH_PAGES; page += 1) {
      const path = `releases?per_page=${PAGE_SIZE}&page=${page}`;
      const releases = await this.#json(z.array(releaseShape), 'GET', path, signal);
      const draft = releases.find((release) => release.draft && release.tag_name === tag);
      if (draft !== undefined || releases.length < PAGE_SIZE) return draft;
    }
    return undefined;
  }

  /** Makes a draft, with one attempt: one whose answer is lost may have made it. */
  async createDraft(tag: string, body: string, signal: AbortSignal): Promise<GithubRelease> {
    const wanted = { tag_name: tag, name: tag, body, draft: true };
    return await this.#once(releaseShape, 'POST', 'releases', signal, wanted);
  }

  async update(
    release: GithubRelease,
    change: { body?: string; draft?: boolean },
    signal: AbortSignal,
  ): Promise<GithubRelease> {
    return await this.#json(releaseShape, 'PATCH', `releases/${release.id}`, signal, change);
  }

  async listAssets(release: GithubRelease, signal: AbortSignal): Promise<ReleaseAsset[]> {
    const found: ReleaseAsset[] = [];
    for (let page = 1; ; page += 1) {
      const path = `releases/${release.id}/assets?per_page=${PAGE_SIZE}&page=${page}`;
      const assets = await this.#json(z.array(assetShape), 'GET', path, signal);
      found.push(...assets);
      if (assets.length < PAGE_SIZE) return found;
    }
  }

  /** Deletes an asset; one that is gone already is fine. */
  async deleteAsset(asset: ReleaseAsset, signal: AbortSignal): Promise<void> {
    try {
      await this.#json(z.unknown(), 'DELETE', `releases/assets/${asset.id}`, signal);
    } catch (error) {
      if (failureCode(error) !== 'ABSENT') throw error;
    }
  }

  /**
   * Uploads an asset from a stretch of a file or from bytes, once: what a broken upload leaves has to be deleted
   * before the next attempt. Throws `HttpFailure` or `REDIRECT_REFUSED`.
   */
  async uploadAsset(
    release: GithubRelease,
    name: string,
    content: FileRange | Buffer,
    signal: AbortSignal,
    onBytes: (count: number) => void,
  ): Promise<ReleaseAsset> {
    const url = releaseUploadAddress(this.#access.api, release.upload_url, name);
    const isBytes = Buffer.isBuffer(content);
    const size = isBytes ? content.length : content.end - content.start;
    const answer = await this.#http.send({
      method: 'POST',
      url,
      headers: {
        ...this.#headers(),
        'Content-Type': isBytes ? 'application/json' : 'application/octet-stream',
        'Content-Length': String(size),
      },
      body: isBytes ? content : writeRange(content, onBytes),
      signal,
    });
    return understand(assetShape, await this.#read(answer, name), 'GitHub');
  }

  #headers(): Record<string, string> {
    return {
      Authorization: `Bearer ${this.#access.token}`,
      Accept: 'application/vnd.github+json',
      'X-GitHub-Api-Version': '2022-11-28',
      'User-Agent': 'keel-pkg',
    };
  }

  #json<Shape extends z.ZodType>(
    shape: Shape,
    method: string,
    path: string,
    signal: AbortSignal,
    body?: object,
  ): Promise<z.infer<Shape>> {
    return retry({ policy: this.#access.retry, signal }, () => this.#once(shape, method, path, signal, body));
  }

  async #once<Shape extends z.ZodType>(
    shape: Shape,
    method: string,
    path: string,
    signal: AbortSignal,
    body?: object,
  ): Promise<z.infer<Shape>> {
    const { repository, api } = this.#access;
    const base = api.href.endsWith('/') ? api.href : `${api.href}/`;
    const url = new URL(`repos/${repository}/${path}`, base);
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      ...this.#headers(),
      ...(bytes === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) }),
    };
    const request = { method, url, headers, signal, isOnce: method === 'POST' };
    const answer = await this.#http.send(bytes === undefined ? request : { ...request, body: bytes });
    return understand(shape, await this.#read(answer, repository), 'GitHub');
  }

  async #read(answer: HttpAnswer, about: string): Promise<unknown> {
    const text = (await readBody(answer, ANSWER_LIMIT))?.toString('utf8') ?? '';
    const body = parseJson(this.#secrets.redact(text));
    if (answer.status >= 200 && answer.status < 300) return body;
    const retryAt = parseRetryAfter(answer.headers['retry-after'], Date.now());
    throw explainReleaseAnswer(answer.status, body, about, retryAt);
  }
}

function writeRange(range: FileRange, onBytes: (count: number) => void): BodyWriter {
  return async (sink, signal) => {
    const { path, start, end } = range;
    for await (const chunk of createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024 })) {
      signal.throwIfAborted();
      onBytes(chunk.length);
      if (!sink.write(chunk)) await once(sink, 'drain', { signal });
    }
    sink.end();
  };
}
