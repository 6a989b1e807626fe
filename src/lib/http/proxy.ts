import type { AgentOptions, Agent as HttpAgent } from 'node:http';
import { createSecureContext, type SecureContext } from 'node:tls';
import { getProxyForUrl } from 'proxy-from-env';
import { directAgent } from './direct-agent.ts';
import { HttpFailure } from './http-failure.ts';
import { isLoopback } from './loopback.ts';

/** All certificate authorities to trust, in PEM, in place of the default ones. */
export type CertificateAuthorities = readonly string[];

interface Trust {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: false;
}

const CONNECTIONS: AgentOptions = { keepAlive: true, scheduling: 'lifo' };

/**
 * Returns the proxy for a URL from the environment; undefined if there is none. There is never a proxy to this machine.
 * Throws `UNREACHABLE` if the proxy's address is malformed. The message does not contain it, as it can hold a password.
 */
export function proxyFor(url: URL): URL | undefined {
  const told = isLoopback(url.hostname) ? '' : getProxyForUrl(url.href);
  if (told === '') return undefined;
  const proxy = URL.parse(told);
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy;
  const found = proxy === null ? 'no address' : `an address for ${proxy.protocol.slice(0, -1)}`;
  throw new HttpFailure({
    code: 'UNREACHABLE',
    about: url.host,
    message: `the proxy to reach it by is ${found}`,
    hint: 'write HTTPS_PROXY, HTTP_PROXY and ALL_PROXY such as http://proxy.example:3128',
  });
}

/**
 * The connection pools of a client: direct, or through the proxy from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY
 * (also in lower case). This machine is never reached through a proxy.
 */
export class AgentPool {
  readonly #trust: Trust;
  readonly #unverified: ReadonlySet<string>;
  readonly #agents = new Map<string, HttpAgent>();

  constructor(authorities: CertificateAuthorities | undefined, unverified: readonly string[] = []) {
    // Created once: reading all authorities takes longer than connecting.
    this.#trust =
      authorities === undefined ? {} : { secureContext: createSecureContext({ ca: [...authorities] }) };
    this.#unverified = new Set(unverified.map((host) => new URL(`https://${host}/`).host));
  }

  /**
   * Returns the options that a request to a URL needs: an agent for a proxy uses its own TLS options only for the
   * connection to the proxy.
   */
  trustFor(url: URL): Trust {
    return this.#unverified.has(url.host) ? { ...this.#trust, rejectUnauthorized: false } : this.#trust;
  }

  /** Returns the pool for the origin of a URL. It is always the same one. */
  agentFor(url: URL): HttpAgent | Promise<HttpAgent> {
    const known = this.#agents.get(url.origin);
    if (known !== undefined) return known;
    const proxy = proxyFor(url);
    const isSecure = url.protocol === 'https:';
    if (proxy !== undefined) return this.#openThrough(proxy, url.origin, isSecure);
    return this.#keep(url.origin, directAgent(isSecure, { ...CONNECTIONS, ...this.trustFor(url) }));
  }

  // Few users have a proxy, and loading these modules takes longer than a small run.
  async #openThrough(proxy: URL, origin: string, isSecure: boolean): Promise<HttpAgent> {
    const { proxyAgent } = await import(/* webpackMode: "eager" */ './proxy-agent.ts');
    const opened = proxyAgent(isSecure, proxy, { ...CONNECTIONS, ...(isSecure ? this.#trust : {}) });
    return this.#agents.get(origin) ?? this.#keep(origin, opened);
  }

  #keep(origin: string, agent: HttpAgent): HttpAgent {
    this.#agents.set(origin, agent);
    return agent;
  }

  /** Closes all connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }
}
