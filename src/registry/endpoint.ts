import { isLoopback } from '../lib/http/loopback.ts';
import { DOCKER_HUB, type Host } from './oci/reference.ts';
import { Redactor } from './redactor.ts';

/**
 * Returns the base URL of a registry's API. It is plain HTTP for this machine and for hosts in `insecure`, else HTTPS.
 */
export function endpointOf(host: Host, insecure: readonly Host[]): URL {
  if (host === DOCKER_HUB) return new URL('https://registry-1.docker.io/');
  const hostname = new URL(`http://${host}/`).hostname;
  const scheme = insecure.includes(host) || isLoopback(hostname) ? 'http' : 'https';
  return new URL(`${scheme}://${host}/`);
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

/** Returns a URL to show to people, without credentials and without query values that can be signatures. */
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

/**
 * Returns a text of a server without the signatures of the URL that was asked, as some servers repeat it in an error.
 */
export function withoutSignatures(text: string, url: URL): string {
  const values = [...url.searchParams]
    .filter(([name]) => !SHOWN_PARAMETERS.has(name))
    .map(([, value]) => value);
  const redactor = new Redactor();
  for (const value of values) redactor.add(value);
  return redactor.redact(text);
}
