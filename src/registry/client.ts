import type { AttemptPolicy } from '../lib/attempts.ts';
import { HttpClient, type HttpTimeouts } from '../lib/http.ts';
import { Authorization } from './authorization.ts';
import type { CredentialLookup } from './credentials.ts';
import { endpointOf } from './endpoint.ts';
import { Exchanger } from './exchange.ts';
import { HostLimits, type LimitSettings } from './host-limits.ts';
import type { Host } from './reference.ts';
import { Registry } from './registry.ts';

/** What all registries of a run share. */
export interface RegistriesSettings {
  readonly credentials: CredentialLookup;
  readonly attempts: AttemptPolicy;
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

/** The registries of a run, each host once: connections, logins, limits and request counts are shared. */
export class Registries {
  readonly #settings: RegistriesSettings;
  readonly #http: HttpClient;
  readonly #known = new Map<Host, Registry>();
  readonly #requests = new Map<string, number>();

  constructor(settings: RegistriesSettings) {
    this.#settings = settings;
    const { authorities, timeouts } = settings;
    this.#http = new HttpClient({
      ...(authorities === undefined ? {} : { authorities }),
      ...(timeouts === undefined ? {} : { timeouts }),
    });
  }

  /** Gives the registry at a host. */
  at(host: Host): Registry {
    const known = this.#known.get(host) ?? this.#open(host);
    this.#known.set(host, known);
    return known;
  }

  /** Requests sent so far, one row a host and method, such as `registry.k8s.io GET`. Tokens are not counted. */
  get requests(): ReadonlyMap<string, number> {
    return this.#requests;
  }

  /** Closes idle connections, so that the process can end. */
  close(): void {
    this.#http.close();
  }

  #open(host: Host): Registry {
    const { credentials, attempts, limits, insecure, deadline, signal, onSecret, onRetry } = this.#settings;
    const endpoint = endpointOf(host, insecure);
    const hostLimits = new HostLimits(host, limits, deadline);
    const http = this.#http;
    const authorization = new Authorization({
      host,
      endpoint,
      http,
      lane: hostLimits.tokens,
      lookup: credentials,
      onSecret,
      signal,
    });
    const count = (method: string, url: URL): void => {
      const key = `${url.host} ${method}`;
      this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    };
    const exchanger = new Exchanger({ http, endpoint, authorization, onRequest: count });
    const retry = { attempts, signal, ...(onRetry === undefined ? {} : { onRetry }) };
    return new Registry({ host, endpoint, exchanger, limits: hostLimits, ...retry });
  }
}
