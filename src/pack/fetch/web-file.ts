import { Failure } from '../../lib/failure.ts';
import { discardBody, type HttpAnswer, type HttpClient } from '../../lib/http/http.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { followAddress, redactUrl } from '../../registry/endpoint.ts';
import { parseRetryAfter, RegistryFailure } from '../../registry/registry-failure.ts';

export type WebFileFailureCode =
  | 'NOT_FOUND'
  | 'DENIED'
  | 'RATE_LIMITED'
  | 'REDIRECT_REFUSED'
  | 'SERVER_BROKEN'
  | 'SERVER_REFUSED'
  | 'SIZE_MISMATCH'
  | 'DIGEST_MISMATCH';

/** A file on the web that could not be had, or is not what it should be. */
export class WebFileFailure extends Failure<WebFileFailureCode> {
  override readonly name = 'WebFileFailure';
  /** Whether a further attempt could end differently. */
  readonly transient: boolean;
  /** When the server asked to be left alone until, in milliseconds since 1970. */
  readonly retryAt: number | undefined;

  constructor(details: {
    readonly code: WebFileFailureCode;
    readonly about: string;
    readonly message: string;
    readonly hint?: string | undefined;
    readonly cause?: unknown;
    readonly transient?: boolean;
    readonly retryAt?: number | undefined;
  }) {
    super(details);
    this.transient = details.transient ?? false;
    this.retryAt = details.retryAt;
  }
}

/** Returns whether a further attempt at a file, within `patience` milliseconds, could end differently. */
export function isWorthRepeating(error: unknown, patience: number): boolean {
  if (error instanceof HttpFailure) return error.transient;
  if (!(error instanceof WebFileFailure) || !error.transient) return false;
  return error.retryAt === undefined || error.retryAt - Date.now() <= patience;
}

/** Returns when the server asked to be left alone until, in milliseconds since 1970. */
export function heldUntil(error: unknown): number | undefined {
  return error instanceof WebFileFailure ? error.retryAt : undefined;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const REDIRECT_LIMIT = 8;
const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 520, 522, 524]);

function codeOf(status: number): WebFileFailureCode {
  if (status === 404 || status === 410) return 'NOT_FOUND';
  if (status === 401 || status === 403) return 'DENIED';
  if (status === 429) return 'RATE_LIMITED';
  return status >= 500 ? 'SERVER_BROKEN' : 'SERVER_REFUSED';
}

function refusal(asked: URL, answer: HttpAnswer): WebFileFailure {
  const by = answer.url.host === asked.host ? '' : ` by ${answer.url.host}`;
  return new WebFileFailure({
    code: codeOf(answer.status),
    about: redactUrl(asked),
    message: `answered${by} with status ${answer.status}`,
    hint:
      answer.status === 404
        ? 'check the tag and the architecture; not every release has every file'
        : undefined,
    transient: TRANSIENT.has(answer.status),
    retryAt: parseRetryAfter(answer.headers['retry-after'], Date.now()),
  });
}

function nextAddress(from: URL, location: string, asked: URL): URL {
  try {
    return followAddress(from, location, asked);
  } catch (cause) {
    if (!(cause instanceof RegistryFailure)) throw cause;
    const message = `a redirect was not followed: ${cause.message}`;
    throw new WebFileFailure({ code: 'REDIRECT_REFUSED', about: redactUrl(asked), message, cause });
  }
}

/**
 * Asks for a file, without credentials, and returns the answer when its status is expected. Redirects are followed,
 * but never from HTTPS down to plain HTTP. Throws `WebFileFailure`, `HttpFailure` or the signal's reason.
 */
export async function openWebFile(request: {
  readonly http: HttpClient;
  /** GET unless told. */
  readonly method?: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expected: readonly number[];
  readonly signal: AbortSignal;
}): Promise<HttpAnswer> {
  const { http, method = 'GET', signal } = request;
  let { url } = request;
  for (let hop = 0; hop <= REDIRECT_LIMIT; hop += 1) {
    const headers = {
      'user-agent': 'keel-pkg',
      accept: '*/*',
      'accept-encoding': 'identity',
      ...request.headers,
    };
    const answer = await http.send({ method, url, headers, signal });
    if (request.expected.includes(answer.status)) return answer;
    const { location } = answer.headers;
    discardBody(answer);
    if (!REDIRECTS.has(answer.status) || location === undefined) throw refusal(request.url, answer);
    url = nextAddress(url, location, request.url);
  }
  throw new WebFileFailure({
    code: 'SERVER_BROKEN',
    about: redactUrl(request.url),
    message: 'it redirects without end',
  });
}
