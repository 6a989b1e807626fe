import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import { isLoopback } from './loopback.ts';

/** Certificate authorities in PEM that are trusted besides the system's, for all connections of an agent. */
export type CertificateAuthorities = readonly string[];

const CONNECTIONS: AgentOptions = { keepAlive: true, scheduling: 'lifo' };

/**
 * Gives the connection pool for a URL: straight, or through what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY
 * (also lower case) say. This machine is never reached through a proxy.
 */
export class AgentPool {
  readonly #authorities: CertificateAuthorities | undefined;
  readonly #agents = new Map<string, HttpAgent>();

  constructor(authorities: CertificateAuthorities | undefined) {
    this.#authorities = authorities;
  }

  /** Gives the pool for this URL's origin, always the same one. */
  agentFor(url: URL): HttpAgent {
    const known = this.#agents.get(url.origin);
    if (known !== undefined) return known;
    const proxy = isLoopback(url.hostname) ? '' : getProxyForUrl(url.href);
    const agent = this.#open(url.protocol === 'https:', proxy);
    this.#agents.set(url.origin, agent);
    return agent;
  }

  #open(secure: boolean, proxy: string): HttpAgent {
    const trust = this.#authorities === undefined ? {} : { ca: [...this.#authorities] };
    if (proxy === '')
      return secure ? new HttpsAgent({ ...CONNECTIONS, ...trust }) : new HttpAgent(CONNECTIONS);
    return secure
      ? new HttpsProxyAgent(proxy, { ...CONNECTIONS, ...trust })
      : new HttpProxyAgent(proxy, CONNECTIONS);
  }

  /** Closes all idle connections, so that the process can end. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }
}
