import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { failureCode } from '../../lib/failure.ts';
import { type BodyWriter, type HttpAnswer, type HttpClient, readBody } from '../../lib/http/http.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { followAddress, followRedirects } from '../../lib/http/redirect.ts';
import { retryTime } from '../../lib/http/transient-status.ts';
import { parseJson } from '../../lib/json.ts';
import { type RetryPolicy, retry } from '../../lib/retry.ts';
import { eachOf, TEXT_FIELD } from '../../lib/zero-value.ts';
import { Redactor } from '../../registry/redactor.ts';
import { understand } from '../contract/answer-shape.ts';
import { explainReleaseAnswer } from './release-refusal.ts';
import { releaseUploadAddress } from './release-upload-address.ts';

/** The repository of releases, and the token for it. */
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
  digest: TEXT_FIELD,
  browser_download_url: z.string(),
});
const releaseShape = z.object({
  id: z.number(),
  tag_name: z.string(),
  body: TEXT_FIELD,
  draft: z.boolean(),
  html_url: z.string(),
  upload_url: z.string(),
});

export type ReleaseAsset = z.infer<typeof assetShape>;
export type GithubRelease = z.infer<typeof releaseShape>;

/** A range of a file; `end` is the first byte after it. */
export interface FileRange {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const ANSWER_LIMIT = 16 * 1024 * 1024;
const PAGE_SIZE = 100;
/** How many pages to search for a draft; a draft seldom has so many newer releases before it. */
const DRAFT_SEARCH_PAGES = 5;

/** An asset to upload, and where its bytes are. */
interface NewAsset {
  readonly name: string;
  readonly content: FileRange | Buffer;
}

interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Relative to the repository, with its query. */
  readonly path: string;
  readonly body?: object | undefined;
}

/** A client of GitHub's API for releases. https://docs.github.com/rest/releases */
export class GithubReleases {
  readonly #access: ReleaseAccess;
  readonly #http: HttpClient;
  readonly #signal: AbortSignal;
  readonly #redactor = new Redactor();

  /** An abort of `signal` ends every request. */
  constructor(access: ReleaseAccess, http: HttpClient, signal: AbortSignal) {
    this.#access = access;
    this.#http = http;
    this.#signal = signal;
    this.#redactor.add(access.token, 'password');
  }

  /**
   * Checks that the token may write releases, by requesting to create one without a tag: GitHub checks permissions
   * (403, 404) before the content of the request (422). Throws `HttpFailure`.
   */
  async prove(): Promise<void> {
    try {
      await this.#ask(z.unknown(), { method: 'POST', path: 'releases', body: {} });
    } catch (error) {
      if (!(error instanceof HttpFailure && error.status === 422)) throw error;
    }
  }

  /** Returns the release of a tag, or else a draft for it; undefined if there is neither. Throws `HttpFailure`. */
  async find(tag: string): Promise<GithubRelease | undefined> {
    try {
      const path = `releases/tags/${encodeURIComponent(tag)}`;
      return await this.#ask(releaseShape, { method: 'GET', path });
    } catch (error) {
      if (failureCode(error) !== 'ABSENT') throw error;
    }
    for (let page = 1; page <= DRAFT_SEARCH_PAGES; page += 1) {
      const path = `releases?per_page=${PAGE_SIZE}&page=${page}`;
      const releases = await this.#ask(eachOf(releaseShape), { method: 'GET', path });
      const draft = releases.find((release) => release.draft && release.tag_name === tag);
      if (draft !== undefined || releases.length < PAGE_SIZE) return draft;
    }
    return undefined;
  }

  /** Creates a draft and returns it. Throws `HttpFailure`. */
  async createDraft(tag: string, notes: string): Promise<GithubRelease> {
    const body = { tag_name: tag, name: tag, body: notes, draft: true };
    return await this.retrying(async (attempt) => {
      // The first attempt may have succeeded with only its answer lost, and a tag must not have two drafts.
      const made = attempt === 1 ? undefined : await this.find(tag);
      return made ?? (await this.#askOnce(releaseShape, { method: 'POST', path: 'releases', body }));
    });
  }

  /** Changes the notes or the draft state of a release and returns the changed release. Throws `HttpFailure`. */
  async update(
    { id }: GithubRelease,
    body: { notes?: string | undefined; draft?: boolean | undefined },
  ): Promise<GithubRelease> {
    const change = { body: body.notes, draft: body.draft };
    return await this.#ask(releaseShape, { method: 'PATCH', path: `releases/${id}`, body: change });
  }

  /** Returns all assets of a release. Throws `HttpFailure`. */
  async listAssets({ id }: GithubRelease): Promise<ReleaseAsset[]> {
    const found: ReleaseAsset[] = [];
    for (let page = 1; ; page += 1) {
      const path = `releases/${id}/assets?per_page=${PAGE_SIZE}&page=${page}`;
      const assets = await this.#ask(eachOf(assetShape), { method: 'GET', path });
      found.push(...assets);
      if (assets.length < PAGE_SIZE) return found;
    }
  }

  /** Deletes an asset, unless it is already gone. Throws `HttpFailure`. */
  async deleteAsset({ id }: ReleaseAsset): Promise<void> {
    try {
      await this.#ask(z.unknown(), { method: 'DELETE', path: `releases/assets/${id}` });
    } catch (error) {
      if (failureCode(error) !== 'ABSENT') throw error;
    }
  }

  /**
   * Uploads an asset and returns it. Makes a single attempt, because the remains of a failed upload have to be deleted
   * before the next one. Throws `HttpFailure` or `REDIRECT_REFUSED`.
   */
  async uploadAsset(
    release: GithubRelease,
    { name, content }: NewAsset,
    onBytes: (count: number) => void,
  ): Promise<ReleaseAsset> {
    const url = releaseUploadAddress(this.#access.api, release.upload_url, name);
    const isBytes = Buffer.isBuffer(content);
    const size = isBytes ? content.length : content.end - content.start;
    const answer = await this.#send({
      method: 'POST',
      url,
      headers: {
        ...this.#headers(),
        'Content-Type': isBytes ? 'application/json' : 'application/octet-stream',
        'Content-Length': String(size),
      },
      body: isBytes ? content : writeRange(content, onBytes),
      awaited: 'work',
      signal: this.#signal,
    });
    return understand(assetShape, await this.#read(answer, name), 'GitHub');
  }

  /** Retries an operation by the policy of the run and returns its result. Throws its last failure. */
  retrying<Result>(
    operation: (attempt: number) => Promise<Result>,
    isWorthRepeating?: (error: unknown) => boolean,
  ): Promise<Result> {
    const { retry: policy } = this.#access;
    return retry({ policy, signal: this.#signal, isWorthRepeating }, operation);
  }

  #headers(): Record<string, string> {
    return {
      Authorization: `Bearer ${this.#access.token}`,
      Accept: 'application/vnd.github+json',
      'X-GitHub-Api-Version': '2022-11-28',
      'User-Agent': 'keel-pkg',
    };
  }

  #ask<Shape extends z.ZodType>(shape: Shape, request: ApiRequest): Promise<z.infer<Shape>> {
    return this.retrying(() => this.#askOnce(shape, request));
  }

  async #askOnce<Shape extends z.ZodType>(
    shape: Shape,
    { method, path, body }: ApiRequest,
  ): Promise<z.infer<Shape>> {
    const { repository, api } = this.#access;
    const base = api.href.endsWith('/') ? api.href : `${api.href}/`;
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const length =
      bytes === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) };
    const answer = await this.#send({
      method,
      url: new URL(`repos/${repository}/${path}`, base),
      headers: { ...this.#headers(), ...length },
      body: bytes,
      isOnce: method === 'POST',
      signal: this.#signal,
    });
    return understand(shape, await this.#read(answer, repository), 'GitHub');
  }

  /**
   * Follows redirects, such as those of a renamed repository, only at the same host, because the token is sent along.
   */
  async #send(request: Parameters<HttpClient['send']>[0]): Promise<HttpAnswer> {
    const { url: first } = request;
    const send = (url: URL): Promise<HttpAnswer> => this.#http.send({ ...request, url });
    const answer = await followRedirects(request, send, (from, location) => {
      const next = followAddress(from, location, first);
      if (next.origin === first.origin) return next;
      const message = `it redirects the request and the token to ${next.origin}`;
      throw new HttpFailure({
        code: 'REDIRECT_REFUSED',
        about: first.host,
        message,
        hint: 'packer sent nothing to it; check the address of the API',
      });
    });
    if (answer !== undefined) return answer;
    throw new HttpFailure({ code: 'SERVICE_BROKEN', about: first.host, message: 'too many redirects' });
  }

  async #read(answer: HttpAnswer, about: string): Promise<unknown> {
    const text = (await readBody(answer, ANSWER_LIMIT))?.toString('utf8') ?? '';
    const body = parseJson(this.#redactor.redact(text));
    if (answer.status >= 200 && answer.status < 300) return body;
    const retryAt = retryTime(answer, Date.now());
    throw explainReleaseAnswer({ status: answer.status, body, about, retryAt });
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
