import { z } from 'zod';
import { GITHUB_API, githubAuthorization, RELEASE_ANSWER_LIMIT } from '../config/github-api.ts';
import type { UpstreamMirror } from '../config/upstream-mirror.ts';
import { type Duration, milliseconds, seconds } from '../lib/duration.ts';
import { failureCode } from '../lib/failure.ts';
import { discardBody, type HttpAnswer, type HttpClient, readBody } from '../lib/http/http.ts';
import { HttpFailure, isConnectionFailure } from '../lib/http/http-failure.ts';
import { followAddress } from '../lib/http/redirect.ts';
import type { HttpTimeouts } from '../lib/http/request-clock.ts';
import { parseJson } from '../lib/json.ts';
import { type RetryPolicy, retry } from '../lib/retry.ts';
import { decodeText } from '../lib/text/decoded-text.ts';
import { formatSize } from '../lib/text/size.ts';
import { redactUrl } from '../registry/endpoint.ts';
import { openWebFile } from './fetch/web-file.ts';
import { WrongAnswer } from './wrong-answer.ts';

/** Behind a firewall, a run waits no longer than this for each upstream host. */
export const MAKER_TIMEOUTS: HttpTimeouts = {
  connect: seconds(5),
  firstByte: seconds(10),
  idle: seconds(10),
  pace: { grace: seconds(20), bytesPerSecond: 16 * 1024 },
};

/** A transient error, such as a full queue, is retried once after a moment. Longer ones are not waited for. */
const MOST_ATTEMPTS = 2;
const LONGEST_PAUSE: Duration = seconds(1);

/** A renamed repository has one redirect more. A longer way does not lead to a release. */
const MOST_HOPS = 3;

const RELEASE_PATH = /\/releases\/tag\/([0-9A-Za-z][\w.+-]{0,63})$/;

/** https://docs.github.com/en/rest/releases/releases#get-the-latest-release */
const releaseShape = z.object({ tag_name: z.string().max(64) });

export interface MakerClientParts {
  /** With `MAKER_TIMEOUTS`; tests may use shorter ones. */
  readonly http: HttpClient;
  readonly retry: RetryPolicy;
  readonly mirror: UpstreamMirror;
  /** A token of github.com, which is only sent to its API. */
  readonly githubToken?: string | undefined;
}

/**
 * Requests small files from upstream, or from the mirror if there is one. A host that never answered and timed out gets no
 * further requests: a firewall that drops packets drops all of them.
 */
export class MakerClient {
  readonly #parts: MakerClientParts;
  readonly #heard = new Set<string>();
  readonly #silent = new Map<string, HttpFailure>();

  constructor(parts: MakerClientParts) {
    this.#parts = parts;
  }

  /** Whether GitHub's API may be asked. */
  get hasToken(): boolean {
    return this.#parts.githubToken !== undefined;
  }

  /**
   * Returns the text at an upstream address; undefined if there is none. Throws `HttpFailure`, `WrongAnswer` if the content
   * is larger than `limit` bytes or not a text, or the signal's reason.
   */
  text(url: URL, limit: number, signal: AbortSignal): Promise<string | undefined> {
    return this.#text(this.#parts.mirror.map(url), { limit, signal });
  }

  /** Returns the same from upstream itself, also if there is a mirror. */
  ownText(url: URL, limit: number, signal: AbortSignal): Promise<string | undefined> {
    return this.#text(url, { limit, signal });
  }

  /** Returns the text of a file in a repository of github.com at a tag, from GitHub's API. Throws as `text` does. */
  repositoryFile(
    { repository, tag, path }: { readonly repository: string; readonly tag: string; readonly path: string },
    limit: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const url = new URL(`${GITHUB_API}/repos/${repository}/contents/${path}`);
    url.searchParams.set('ref', tag);
    return this.#text(url, { limit, accept: 'application/vnd.github.raw+json', signal });
  }

  /**
   * Returns the tag of the newest release of a repository of github.com, as GitHub defines it: the target of the redirect
   * from `releases/latest`, which counts against no limit. Throws as `text` does.
   */
  async latestTag(repository: string, signal: AbortSignal): Promise<string> {
    const asked = this.#parts.mirror.map(new URL(`https://github.com/${repository}/releases/latest`));
    let url = asked;
    for (let hop = 0; hop < MOST_HOPS; hop += 1) {
      const answer = await this.#ask(url, signal, () => this.#head(url, signal));
      const { location } = answer.headers;
      discardBody(answer);
      if (location === undefined || answer.status < 300 || answer.status > 399) break;
      url = followAddress(url, location, asked);
      const tag = RELEASE_PATH.exec(url.pathname)?.[1];
      if (tag !== undefined) return tag;
    }
    throw new WrongAnswer(`${redactUrl(asked)} does not lead to a release`);
  }

  /** Returns the same, from GitHub's API. */
  async toldLatestTag(repository: string, signal: AbortSignal): Promise<string> {
    const url = new URL(`${GITHUB_API}/repos/${repository}/releases/latest`);
    const text = await this.#text(url, { limit: RELEASE_ANSWER_LIMIT, signal });
    const { success, data } = releaseShape.safeParse(parseJson(text ?? ''));
    if (!success) throw new WrongAnswer(`the response of ${redactUrl(url)} is not a release`);
    return data.tag_name;
  }

  async #text(
    url: URL,
    { limit, accept, signal }: { limit: number; accept?: string; signal: AbortSignal },
  ): Promise<string | undefined> {
    const { http, githubToken } = this.#parts;
    const headers = accept === undefined ? {} : { accept };
    const authorize = githubAuthorization(githubToken);
    const read = async (): Promise<Buffer | undefined> =>
      readBody(await openWebFile({ http, url, headers, authorize, expected: [200], signal }), limit);
    let bytes: Buffer | undefined;
    try {
      bytes = await this.#ask(url, signal, read);
    } catch (error) {
      if (failureCode(error) === 'NOT_FOUND') return undefined;
      throw error;
    }
    if (bytes === undefined) throw new WrongAnswer(`${redactUrl(url)} is larger than ${formatSize(limit)}`);
    try {
      return decodeText(bytes);
    } catch {
      throw new WrongAnswer(`${redactUrl(url)} is not text`);
    }
  }

  async #head(url: URL, signal: AbortSignal): Promise<HttpAnswer> {
    const headers = { 'user-agent': 'keel-pkg', accept: '*/*' };
    const answer = await this.#parts.http.send({ method: 'HEAD', url, headers, signal });
    if (answer.status < 400) return answer;
    discardBody(answer);
    throw new HttpFailure({
      code: 'SERVER_REFUSED',
      about: redactUrl(url),
      message: `answered with status ${answer.status}`,
      status: answer.status,
      transient: answer.status >= 500,
    });
  }

  /** Asks once more after a transient error. */
  async #ask<Answer>(url: URL, signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
    const silence = this.#silent.get(url.host);
    if (silence !== undefined) throw silence;
    const { attempts, interval } = this.#parts.retry;
    const policy = {
      attempts: Math.min(attempts, MOST_ATTEMPTS),
      interval: milliseconds(Math.min(interval, LONGEST_PAUSE)),
    };
    try {
      const answer = await retry({ policy, signal, isWorthRepeating }, ask);
      this.#heard.add(url.host);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (!isConnectionFailure(error)) this.#heard.add(url.host);
      else if (error.code === 'TIMED_OUT' && !this.#heard.has(url.host)) this.#silent.set(url.host, error);
      throw error;
    }
  }
}

/** Returns false after a timeout, because another attempt would time out too, and if the server asks for a long pause. */
function isWorthRepeating(error: unknown): boolean {
  if (!(error instanceof HttpFailure) || !error.transient || error.code === 'TIMED_OUT') return false;
  return (error.retryAt ?? 0) <= Date.now() + LONGEST_PAUSE;
}
