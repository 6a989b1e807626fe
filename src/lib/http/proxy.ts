import type { AgentOptions, Agent as HttpAgent } from 'node:http';
import { createSecureContext, type SecureContext } from 'node:tls';
import { directAgent } from './direct-agent.ts';
import { type FailedProxy, HttpFailure } from './http-failure.ts';
import { isLoopback } from './loopback.ts';
import { isExempt } from './no-proxy.ts';

/** All certificate authorities to trust, in PEM, in place of the default ones. */
export type CertificateAuthorities = readonly string[];

interface Trust {
  readonly secureContext?: SecureContext;
  /** Always set, because Node would otherwise obey NODE_TLS_REJECT_UNAUTHORIZED. */
  readonly rejectUnauthorized: boolean;
}

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

const CONNECTIONS: AgentOptions = {
  keepAlive: true,
  scheduling: 'lifo',
  // Node tries each address of a host but the last one for 250 ms, which is too short for a connection around the world.
  autoSelectFamilyAttemptTimeout: 2000,
};

/** The proxy for a URL, and the variable of the environment that names it. */
interface NamedProxy {
  readonly variable: string;
  readonly address: string;
}

function namedProxy(url: URL): NamedProxy | undefined {
  const held = (variable: string): string => (process.env[variable] ?? '').trim();
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const variable = [`${scheme}_proxy`, 'all_proxy']
    .flatMap((name) => [name, name.toUpperCase()])
    .find((name) => held(name) !== '');
  const isDirect = variable === undefined || isLoopback(url.hostname);
  if (isDirect || isExempt(url, held('no_proxy') || held('NO_PROXY'))) return undefined;
  return { variable, address: held(variable) };
}

/**
 * Returns the proxy for a URL from the environment; undefined if there is none. There is never a proxy to this machine.
 * Throws `UNREACHABLE` if the proxy's address is malformed. The message does not show it: it can contain a password.
 */
export function proxyFor(url: URL): URL | undefined {
  const named = namedProxy(url);
  if (named === undefined) return undefined;
  const { variable, address } = named;
  const proxy = URL.parse(SCHEME.test(address) ? address : `http://${address}`);
  const isKnown = proxy?.protocol === 'http:' || proxy?.protocol === 'https:';
  const isBroken = isLoginBroken(address, proxy);
  if (isKnown && !isBroken) return proxy;
  const common = { code: 'UNREACHABLE', about: url.host } as const;
  if (isBroken) {
    const message = `the user name or password in ${variable} has a character that must be percent-encoded`;
    const hint = 'write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25';
    throw new HttpFailure({ ...common, message, hint });
  }
  if (proxy !== null && !isKnown) {
    const message = `${variable} names a ${proxy.protocol.slice(0, -1)} proxy, which is not supported`;
    const hint = 'use an HTTP proxy, such as http://proxy.example:3128, or run one that forwards to yours';
    throw new HttpFailure({ ...common, message, hint });
  }
  const message = `${variable} is not the address of a proxy`;
  const hint = 'write an address such as http://proxy.example:3128; in a password, write @ as %40';
  throw new HttpFailure({ ...common, message, hint });
}

/**
 * Returns the host and port of the proxy for a URL, without a password, and the variable that names it; undefined if
 * there is none.
 */
export function proxyOnTheWay(url: URL): FailedProxy | undefined {
  const variable = namedProxy(url)?.variable;
  const proxy = proxyFor(url);
  if (variable === undefined || proxy === undefined) return undefined;
  const hasLogin = proxy.username !== '' || proxy.password !== '';
  return { host: proxy.host, variable, isSecure: proxy.protocol === 'https:', hasLogin };
}

/**
 * Returns whether the login in the address of a proxy has a character that ends it early, so that what follows `@` is not
 * the host, or a `%` that encodes nothing. Otherwise a part of the password would be taken for the host, and shown.
 */
function isLoginBroken(address: string, proxy: URL | null): boolean {
  const [, ...hosts] = address.split('@');
  if (hosts.length === 0) return false;
  if (proxy === null) return URL.canParse(`http://${hosts.at(-1)}`);
  const { username, password, pathname, search, hash } = proxy;
  return `${pathname}${search}${hash}`.includes('@') || !isDecodable(username) || !isDecodable(password);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the TLS settings that trust these authorities. Each of them is trusted by itself, also an intermediate one or
 * the certificate of a server, as in curl and tools in Go. Names and dates are still checked.
 */
function contextOf(authorities: CertificateAuthorities): SecureContext {
  return createSecureContext({ ca: [...authorities], allowPartialTrustChain: true });
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
      authorities === undefined
        ? { rejectUnauthorized: true }
        : { secureContext: contextOf(authorities), rejectUnauthorized: true };
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
    const opened = proxyAgent(isSecure, proxy, { ...CONNECTIONS, ...this.#trust });
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
