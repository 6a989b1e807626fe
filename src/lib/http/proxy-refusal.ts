import { HttpFailure } from './http-failure.ts';
import { proxyFor, proxyVariable } from './proxy.ts';
import { isTransientStatus } from './transient-status.ts';

const LOGIN_WANTED = 407;

/** Returns the failure for a proxy that answers a request to this URL with an error status. */
export function proxyRefusal(url: URL, status: number): HttpFailure {
  const proxy = proxyFor(url);
  // Only the host is shown, because the proxy's address can contain a password.
  const where = proxy === undefined ? '' : ` ${proxy.host}`;
  const what = url.protocol === 'https:' ? `refused the tunnel to ${url.host}` : 'wants a login of its own';
  const message = `the proxy${where} ${what} (status ${status})`;
  const hint = hintFor(url, status);
  return new HttpFailure({
    code: 'PROXY_REFUSED',
    about: url.host,
    message,
    hint,
    transient: isTransientStatus(status),
  });
}

function hintFor(url: URL, status: number): string {
  const { hostname } = url;
  const variable = proxyVariable(url);
  if (status === LOGIN_WANTED) {
    return `write its name and password into ${variable}, as http://NAME:PASSWORD@HOST:PORT, or name ${hostname} in NO_PROXY`;
  }
  return `let the proxy allow ${hostname}, check ${variable}, or name ${hostname} in NO_PROXY where it is reached without`;
}
