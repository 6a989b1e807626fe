import type { IncomingMessage } from 'node:http';
import { type FailedProxy, HttpFailure } from './http-failure.ts';
import { proxyOnTheWay } from './proxy.ts';
import { isTransientStatus } from './transient-status.ts';

/** The answer of a TLS server to plain HTTP. */
const BAD_REQUEST = 400;
const LOGIN_WANTED = 407;
/** The answers of proxies that did not reach the host (RFC 9110, 15.6); squid 5 answers 500 for unknown names. */
const NOT_REACHED: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** Returns whether an answer comes from a proxy on the way, and not from the host of the request. */
export function isOfProxy({ statusCode, headers }: IncomingMessage): boolean {
  // Only a proxy may answer 407 (RFC 9110, 15.5.8). Squid marks its own errors with this header.
  return statusCode === LOGIN_WANTED || headers['x-squid-error'] !== undefined;
}

/** Returns the failure for a proxy that answers a request to this URL with an error status. */
export function proxyRefusal(url: URL, status: number): HttpFailure {
  const proxy = proxyOnTheWay(url);
  const where = proxy === undefined ? '' : ` ${proxy.host}`;
  const variable = proxy?.variable ?? (url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  const { message, hint } = reasonOf(url, status, variable, proxy);
  return new HttpFailure({
    code: 'PROXY_REFUSED',
    about: url.host,
    message: `the proxy${where} ${message}, status ${status}`,
    hint,
    transient: isTransientStatus(status),
  });
}

function reasonOf(
  { host, hostname, protocol }: URL,
  status: number,
  variable: string,
  { isSecure = false, hasLogin = false }: Partial<FailedProxy> = {},
) {
  const orDirect = `or name ${hostname} in NO_PROXY if it needs no proxy`;
  if (status === LOGIN_WANTED && hasLogin) {
    const hint = `correct them, and percent-encode special characters, such as @ as %40, ${orDirect}`;
    return { message: `refused the name and password in ${variable}`, hint };
  }
  if (status === LOGIN_WANTED) {
    const hint = `write a user name, ":", a password and "@" before its host in ${variable}, ${orDirect}`;
    return { message: 'requires a login', hint };
  }
  if (NOT_REACHED.has(status)) {
    const hint = `check the name and port, and whether the proxy may connect to them, ${orDirect}`;
    return { message: `did not reach ${host}`, hint };
  }
  const orSecure =
    status === BAD_REQUEST && !isSecure
      ? `write https:// in ${variable} if the proxy uses TLS`
      : `check ${variable}`;
  const hint = `let the proxy allow ${hostname}, ${orSecure}, ${orDirect}`;
  return { message: protocol === 'https:' ? `refused the tunnel to ${host}` : `refused ${host}`, hint };
}
