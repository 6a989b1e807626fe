import { discardBody, type HttpAnswer } from './http.ts';
import { HttpFailure } from './http-failure.ts';
import { inwardPlace } from './inward-address.ts';
import { ReceivedUrl } from './received-url.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Redirects that keep the method and the body. The others turn a write into a GET (RFC 9110, 15.4). */
const KEEPING: ReadonlySet<number> = new Set([307, 308]);
/** The most redirects that are followed; more than any honest server needs. */
const LIMIT = 8;

/** Returns whether an answer is a redirect that would turn a request with this method into another one. */
export function isLossyRedirect(method: string, { status, headers }: HttpAnswer): boolean {
  return Boolean(headers.location) && REDIRECTS.has(status) && !redirectsOf(method).has(status);
}

function redirectsOf(method: string): ReadonlySet<number> {
  return method === 'GET' || method === 'HEAD' ? REDIRECTS : KEEPING;
}

/**
 * Sends a request and follows redirects; for a write, only those that keep its method and body. `next` returns the address
 * for a `Location`. Returns the first answer that is not followed; undefined if there are too many redirects. Throws what
 * `send` and `next` throw.
 */
export async function followRedirects(
  { method, url: first }: { readonly method: string; readonly url: URL },
  send: (url: URL) => Promise<HttpAnswer>,
  next: (from: URL, location: string) => URL,
): Promise<HttpAnswer | undefined> {
  const redirects = redirectsOf(method);
  let url = first;
  for (let hop = 0; hop <= LIMIT; hop += 1) {
    const answer = await send(url);
    const { location } = answer.headers;
    if (!redirects.has(answer.status) || !location) return answer;
    discardBody(answer);
    url = next(url, location);
  }
  return undefined;
}

/**
 * Returns the address that a server sent for the next request, such as a `Location` or a realm, resolved against
 * `from`. `asked` is the server of the first request. Throws `REDIRECT_REFUSED` if the address is not HTTP, leads from
 * HTTPS to plain HTTP, from another machine to services of this one, or to an internal service of a cloud. The first
 * server may itself be any of these, because the user named it.
 */
export function followAddress(from: URL, address: string, asked: URL): URL {
  const refuse = (message: string): never => {
    throw new HttpFailure({
      code: 'REDIRECT_REFUSED',
      about: asked.host,
      message,
      hint: 'this looks like a broken or hostile server; nothing was sent there',
    });
  };
  const target = URL.canParse(address, from.href) ? new ReceivedUrl(address, from) : undefined;
  if (target === undefined) {
    // The text is not shown: any part of it could be a password or a signature.
    return refuse(`it leads to something that is not an address (${address.length} characters)`);
  }
  if (target.protocol !== 'https:' && target.protocol !== 'http:') {
    return refuse(`it leads to ${target.protocol}//, which is not HTTP`);
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    return refuse(`it leads from HTTPS to plain HTTP at ${target.host}`);
  }
  const place = target.hostname === asked.hostname ? undefined : inwardPlace(target.hostname);
  if (place === 'cloud') {
    return refuse(`it leads to ${target.host}, an internal service of a cloud`);
  }
  if (place === 'machine' && inwardPlace(asked.hostname) !== 'machine') {
    return refuse(`it leads to ${target.host} on this machine`);
  }
  // A user name and password in an address would be sent, and would end up in logs.
  target.username = '';
  target.password = '';
  return target;
}
