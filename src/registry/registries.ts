import { HttpClient, type HttpTimeouts } from '../lib/http/http.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import { Authorization } from './authorization.ts';
import type { CredentialLookup } from './credentials.ts';
import { endpointOf } from './endpoint.ts';
import { HostLimits, type LimitSettings } from './host-limits.ts';
import type { Host } from './oci/reference.ts';
import { Registry } from './registry.ts';
import { Transport } from './transport.ts';

/** What all registries of a run share. */
export interface RegistriesSettings {
  readonly credentials: CredentialLookup;
  readonly retry: RetryPolicy;
  readonly limits: LimitSettings;
  /** Hosts that are spoken to over plain HTTP, besides this machine. */
  readonly insecure: readonly Host[];
  /** Certificate authorities in PEM, besides the system's. */
  readonly authorities?: readonly string[];
  readonly timeouts?: HttpTimeouts;
  /** When the run has to be over, in milliseconds since 1970. */
  readonly deadline?: number;
  /** Of the whole run. */
  readonly signal: AbortSignal;
  /** Told each secret before its first use, so that it can be masked. */
  readonly onSecret: (secret: string) => void;
  /** Told each failed attempt that will be repeated. */
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/** How much was asked of one host. */
export interface HostTraffic {
  readonly requests: number;
  readonly retried: number;
  readonly rateLimited: number;
}

/** The registries of a run, each host once: connections, logins, limits and request counts are shared. */
export class Registries {
  readonly #settings: RegistriesSettings;
  readonly #http: HttpClient;
  readonly #known = new Map<Host, Registry>();
  readonly #traffic = new Map<string, HostTraffic>();

  constructor(settings: RegistriesSettings) {
    this.#settings = settings;
    const { authorities, timeouts } = settings;
    this.#http = new HttpClient({
      ...(authorities === undefined ? {} : { authorities }),
      ...(timeouts === undefined ? {} : { timeouts }),
    });
  }

  /** Returns the registry at a host. */
  at(host: Host): Registry {
    const known = this.#known.get(host) ?? this.#open(host);
    this.#known.set(host, known);
    return known;
  }

  /** What was asked of each host so far, also of those that a registry redirected to. Tokens are not counted. */
  get traffic(): ReadonlyMap<string, HostTraffic> {
    return this.#traffic;
  }

  /** Closes idle connections, so that the process can end. */
  close(): void {
    this.#http.close();
  }

  #open(host: Host): Registry {
    const { credentials, retry, limits, insecure, deadline, signal, onSecret, onRetry } = this.#settings;
    const endpoint = endpointOf(host, insecure);
    const hostLimits = new HostLimits(host, limits, deadline);
    const http = this.#http;
    const authorization = new Authorization({
      host,
      endpoint,
      http,
      limiter: hostLimits.tokens,
      lookup: credentials,
      onSecret,
      signal,
    });
    const onRequest = (url: URL): void => this.#count(url.host, 'requests');
    const transport = new Transport({ http, endpoint, authorization, onRequest });
    return new Registry({
      host,
      endpoint,
      transport,
      limits: hostLimits,
      retry,
      signal,
      onRetry: (error, attempt) => {
        this.#count(endpoint.host, 'retried');
        onRetry?.(error, attempt);
      },
      onRateLimit: () => this.#count(endpoint.host, 'rateLimited'),
    });
  }

  #count(host: string, what: keyof HostTraffic): void {
    const row = this.#traffic.get(host) ?? { requests: 0, retried: 0, rateLimited: 0 };
    this.#traffic.set(host, { ...row, [what]: row[what] + 1 });
  }
}
