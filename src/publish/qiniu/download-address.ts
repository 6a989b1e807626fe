import { seconds } from '../../lib/duration.ts';
import { discardBody, type HttpClient } from '../../lib/http/http.ts';
import { isConnectionFailure } from '../../lib/http/http-failure.ts';
import type { HttpTimeouts } from '../../lib/http/request-clock.ts';

/** Short, because only the scheme of an address depends on the answer. */
export const DOMAIN_TIMEOUTS: HttpTimeouts = {
  connect: seconds(5),
  firstByte: seconds(10),
  idle: seconds(10),
};

/** The most domains that are asked; a bucket seldom has more. */
const MOST_DOMAINS = 4;

/**
 * Returns the address of an object at the first domain that serves it over TLS, else at the first over plain HTTP;
 * undefined if there is no domain. Each domain is an address over HTTPS, and is asked once.
 */
export async function downloadAddress(
  domains: readonly URL[],
  key: string,
  { http, signal }: { readonly http: HttpClient; readonly signal: AbortSignal },
): Promise<URL | undefined> {
  const addresses = domains.slice(0, MOST_DOMAINS).map((domain) => new URL(encodeURIComponent(key), domain));
  const serving = await Promise.all(addresses.map((url) => servesTls(url, http, signal)));
  const [first] = addresses;
  if (first === undefined) return undefined;
  const secure = addresses.find((_, at) => serving[at]);
  if (secure !== undefined) return secure;
  const plain = new URL(first);
  plain.protocol = 'http:';
  return plain;
}

/** Returns whether a file is served over TLS: to everyone, or to clients with a signed address. */
async function servesTls(url: URL, http: HttpClient, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await http.send({ method: 'HEAD', url, headers: {}, signal });
    discardBody(answer);
    const { status, headers } = answer;
    if (status === 401 || status === 403) return true;
    return status >= 200 && status < 400 && headers.location?.startsWith('http:') !== true;
  } catch (error) {
    if (!isConnectionFailure(error)) throw error;
    return false;
  }
}
