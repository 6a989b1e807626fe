import type { AgentOptions, Agent as HttpAgent } from 'node:http';
import { createSecureContext, type SecureContext } from 'node:tls';
import { getProxyForUrl } from 'proxy-from-env';
import { directAgent } from './direct-agent.ts';
import { HttpFailure } from './http-failure.ts';
import { isLoopback } from './loopback.ts';

/** Certificate authorities in PEM that are trusted besides the system's, for all connections of an agent. */
export type CertificateAuthorities = readonly string[];

const CONNECTIONS: AgentOptions = { keepAlive: true, scheduling: 'lifo' };

/**
 * Returns the proxy for a URL as the environment says, or `undefined` for none. This machine is never reached through one.
 * Throws `UNREACHABLE` for what is no proxy's address, without repeating it: it may hold a password.
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
 * Returns the connection pool for a URL: straight, or through what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY
 * (also lower case) say. This machine is never reached through a proxy.
 */
export class AgentPool {
  /**
   * Whom to trust. Every request has to carry it: through a proxy an agent uses its own options for the proxy only.
   */
  readonly trust: { readonly secureContext?: SecureContext };
  readonly #agents = new Map<string, HttpAgent>();

  constructor(authorities: CertificateAuthorities | undefined) {
    // Made once, as reading all authorities anew for each connection takes longer than to connect.
    this.trust =
      authorities === undefined ? {} : { secureContext: createSecureContext({ ca: [...authorities] }) };
  }

  /** Returns the pool for this URL's origin, always the same one. */
  agentFor(url: URL): HttpAgent | Promise<HttpAgent> {
    const known = this.#agents.get(url.origin);
    if (known !== undefined) return known;
    const proxy = proxyFor(url);
    const isSecure = url.protocol === 'https:';
    if (proxy !== undefined) return this.#openThrough(proxy, url.origin, isSecure);
    return this.#keep(url.origin, directAgent(isSecure, { ...CONNECTIONS, ...this.trust }));
  }

  // Few have a proxy, and the agents for one take longer to load than a small run.
  async #openThrough(proxy: URL, origin: string, isSecure: boolean): Promise<HttpAgent> {
    const { HttpsProxyAgent } = await import(/* webpackMode: "eager" */ 'https-proxy-agent');
    const { HttpProxyAgent } = await import(/* webpackMode: "eager" */ 'http-proxy-agent');
    const opened = isSecure
      ? new HttpsProxyAgent(proxy, { ...CONNECTIONS, ...this.trust })
      : new HttpProxyAgent(proxy, CONNECTIONS);
    return this.#agents.get(origin) ?? this.#keep(origin, opened);
  }

  #keep(origin: string, agent: HttpAgent): HttpAgent {
    this.#agents.set(origin, agent);
    return agent;
  }

  /** Closes all idle connections, so that the process can end. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }
}
