import { HttpFailure } from '../lib/http/http-failure.ts';
import { isInward, isLoopback } from '../lib/http/loopback.ts';
import { DOCKER_HUB, type Host } from './oci/reference.ts';
import { Secrets } from './secrets.ts';

/** Returns the base URL of a registry's API: HTTPS, but plain HTTP on this machine and for hosts named insecure. */
export function endpointOf(host: Host, insecure: readonly Host[]): URL {
  if (host === DOCKER_HUB) return new URL('https://registry-1.docker.io/');
  const hostname = new URL(`http://${host}/`).hostname;
  const scheme = insecure.includes(host) || isLoopback(hostname) ? 'http' : 'https';
  return new URL(`${scheme}://${host}/`);
}

/**
 * Returns the address that a redirect, `Location` or realm of a registry leads to, resolved against `from`. Throws
 * `REDIRECT_REFUSED` for what no honest registry needs: another scheme than HTTP, from HTTPS down to HTTP, or from
 * elsewhere to this machine's own services.
 */
export function followAddress(from: URL, address: string, registry: URL): URL {
  const refuse = (message: string): never => {
    throw new HttpFailure({
      code: 'REDIRECT_REFUSED',
      about: registry.host,
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
  if (isInward(target.hostname) && !isLoopback(registry.hostname) && target.hostname !== registry.hostname) {
    return refuse(`it leads to ${target.host} on the machine that asks`);
  }
  // A name and password in an address would be sent along, and end up in logs.
  target.username = '';
  target.password = '';
  return target;
}

const SHOWN_PARAMETERS: ReadonlySet<string> = new Set([
  'n',
  'last',
  'mount',
  'from',
  'digest',
  'service',
  'scope',
]);

/** Returns a URL for people to read: without credentials and without query values that may be signatures. */
export function redactUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  shown.hash = '';
  for (const name of new Set(shown.searchParams.keys())) {
    if (!SHOWN_PARAMETERS.has(name)) shown.searchParams.set(name, '…');
  }
  return shown.href.replaceAll('%E2%80%A6', '…');
}

/** Returns a text without what signs an address, for those who repeat in an error what they were asked for. */
export function withoutSignatures(text: string, url: URL): string {
  const values = [...url.searchParams]
    .filter(([name]) => !SHOWN_PARAMETERS.has(name))
    .map(([, value]) => value);
  const secrets = new Secrets();
  for (const value of values) secrets.add(value);
  return secrets.redact(text);
}
