import { discardBody, type HttpAnswer, type HttpClient } from '../../lib/http/http.ts';
import { HttpFailure, isAnswerFailure, isConnectionFailure } from '../../lib/http/http-failure.ts';
import { followAddress, followRedirects } from '../../lib/http/redirect.ts';
import { isRateLimit, isTransientStatus, retryTime } from '../../lib/http/transient-status.ts';
import { redactUrl } from '../../registry/endpoint.ts';

type WebFileFailureCode =
  | 'NOT_FOUND'
  | 'DENIED'
  | 'RATE_LIMITED'
  | 'REDIRECT_REFUSED'
  | 'SERVER_BROKEN'
  | 'SERVER_REFUSED'
  | 'SIZE_MISMATCH'
  | 'DIGEST_MISMATCH';

/** A file on the web that could not be fetched, or is not what it should be. */
export type WebFileFailure = HttpFailure<WebFileFailureCode>;

const ARCHIVE = /\.(?:t?gz|tbr|br|zst|zstd)$/i;

/** Returns whether a file is an archive by its name. Some servers declare archives as encoded content. */
export function isArchive({ pathname }: URL): boolean {
  return ARCHIVE.test(pathname);
}

function codeOf(status: number): WebFileFailureCode {
  if (status === 404 || status === 410) return 'NOT_FOUND';
  if (status === 401 || status === 403) return 'DENIED';
  if (isRateLimit(status)) return 'RATE_LIMITED';
  return status >= 500 ? 'SERVER_BROKEN' : 'SERVER_REFUSED';
}

const HINTS: Readonly<Partial<Record<WebFileFailureCode, string>>> = {
  NOT_FOUND: 'check the tag and the architecture; not every release has every file',
  DENIED:
    'check the address in the versions file; the file must be public, because packer does not log in to download it',
  RATE_LIMITED: 'try again later',
  SERVER_BROKEN: 'try again later; if this continues, the server or a proxy in front of it needs repair',
  SERVER_REFUSED: 'check the address in the versions file',
};

function refusal(asked: URL, answer: HttpAnswer): WebFileFailure {
  const by = answer.url.host === asked.host ? '' : ` by ${answer.url.host}`;
  const code = codeOf(answer.status);
  return new HttpFailure({
    code,
    about: redactUrl(asked),
    message: `answered${by} with status ${answer.status}`,
    hint: HINTS[code],
    status: answer.status,
    transient: isTransientStatus(answer.status),
    retryAt: retryTime(answer, Date.now()),
  });
}

/** Returns the failure of a connection to `host`. If the host of the request redirected there, the message names it. */
export function explainBreak(error: unknown, asked: URL, host: string): unknown {
  if (!isConnectionFailure(error) || host === asked.host) return error;
  return error.with({ message: `${error.message}; ${asked.host} redirects to it` });
}

function nextAddress(from: URL, location: string, asked: URL): URL {
  try {
    return followAddress(from, location, asked);
  } catch (cause) {
    if (!isAnswerFailure(cause)) throw cause;
    const message = `a redirect could not be followed: ${cause.message}`;
    throw new HttpFailure({ code: 'REDIRECT_REFUSED', about: redactUrl(asked), message, cause });
  }
}

/**
 * Requests a file, and returns the answer if its status is expected. Sends no credentials but those that `authorize`
 * returns. Follows redirects, but never from HTTPS to plain HTTP. Throws `HttpFailure` or the signal's reason.
 */
export async function openWebFile(request: {
  readonly http: Pick<HttpClient, 'send'>;
  /** GET by default. */
  readonly method?: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Returns the Authorization header for an address. It is also called for each address that a redirect leads to. */
  readonly authorize?: ((url: URL) => string | undefined) | undefined;
  readonly expected: readonly number[];
  readonly signal: AbortSignal;
}): Promise<HttpAnswer> {
  const { http, method = 'GET', url: asked, expected, authorize, signal } = request;
  const headersFor = (url: URL): Record<string, string> => {
    const authorization = authorize?.(url);
    return {
      'user-agent': 'keel-pkg',
      accept: '*/*',
      ...request.headers,
      ...(authorization === undefined ? {} : { authorization }),
    };
  };
  const isOwnCoding = (): boolean => isArchive(asked);
  const send = async (url: URL): Promise<HttpAnswer> => {
    try {
      return await http.send({
        method,
        url,
        headers: headersFor(url),
        awaited: 'content',
        isOwnCoding,
        signal,
      });
    } catch (error) {
      throw explainBreak(error, asked, url.host);
    }
  };
  const answer = await followRedirects({ method, url: asked }, send, (from, location) =>
    nextAddress(from, location, asked),
  );
  if (answer !== undefined && expected.includes(answer.status)) return answer;
  if (answer !== undefined) {
    discardBody(answer);
    throw refusal(asked, answer);
  }
  throw new HttpFailure({
    code: 'SERVER_BROKEN',
    about: redactUrl(asked),
    message: 'it redirects without end',
  });
}
