import { discardBody, type HttpAnswer } from './http.ts';
import { HttpFailure } from './http-failure.ts';
import { isInward, isLoopback } from './loopback.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** More than any honest server needs. */
const LIMIT = 8;

/**
 * Sends a request and follows its redirects, each to the address that `next` makes of the `Location` of the one before.
 * Returns the first answer that is no redirect; undefined where there is no end to them.
 */
export async function followRedirects(
  first: URL,
  send: (url: URL) => Promise<HttpAnswer>,
  next: (from: URL, location: string) => URL,
): Promise<HttpAnswer | undefined> {
  let url = first;
  for (let hop = 0; hop <= LIMIT; hop += 1) {
    const answer = await send(url);
    const { location } = answer.headers;
    if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
    discardBody(answer);
    url = next(url, location);
  }
  return undefined;
}

/**
 * Returns the address that a server names for the next request, as a redirect, a `Location` or a realm, resolved against
 * `from`. `asked` is the server that was asked in the first place. Throws `REDIRECT_REFUSED` for an address that no honest
 * server names: of another scheme than HTTP, from HTTPS down to HTTP, or from elsewhere to this machine's own services.
 */
export function followAddress(from: URL, address: string, asked: URL): URL {
  const refuse = (message: string): never => {
    throw new HttpFailure({
      code: 'REDIRECT_REFUSED',
      about: asked.host,
      message,
      hint: 'this looks like a broken or hostile registry; nothing was sent there',
    });
  };
  const target = URL.canParse(address, from.href) ? new URL(address, from) : undefined;
  if (target === undefined) {
    // Nobody can tell which part of what is no address is a password or a signature.
    return refuse(`it leads to what is no address, of ${address.length} characters`);
  }
  if (target.protocol !== 'https:' && target.protocol !== 'http:') {
    return refuse(`it leads to ${target.protocol}//, which is not HTTP`);
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    return refuse(`it leads from HTTPS to plain HTTP at ${target.host}`);
  }
  if (isInward(target.hostname) && !isLoopback(asked.hostname) && target.hostname !== asked.hostname) {
    return refuse(`it leads to ${target.host} on the machine that asks`);
  }
  // A name and password in an address would be sent along, and end up in logs.
  target.username = '';
  target.password = '';
  return target;
}
