import { readAuthorities } from '../lib/http/certificate-authorities.ts';
import { HttpClient } from '../lib/http/http.ts';
import type { HttpTimeouts } from '../lib/http/request-clock.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import type { SecretListener } from '../lib/secret-forms.ts';
import { type CredentialLookup, explicitCredential, lookupInTurn } from './auth/credentials.ts';
import { type CredentialHelper, dockerCredentials } from './auth/docker-config.ts';
import { absentLoginFile, loginFiles } from './auth/login-files.ts';
import { Authorization } from './authorization.ts';
import { Endpoint } from './endpoint.ts';
import { ADAPTIVE_LIMITS, HostLimits, type LimitSettings } from './host-limits.ts';
import type { Host } from './oci/reference.ts';
import { Registry } from './registry.ts';
import { Transport } from './transport.ts';

/** A login at one registry. */
export interface RegistryLogin {
  readonly host: Host;
  readonly username: string;
  readonly password: string;
}

/** The settings of a user for the connections to registries. */
export interface ConnectionSettings {
  /** The login at one host. At other hosts, and without a user name, the logins of `docker login` and others are used. */
  readonly login: {
    readonly host: Host;
    readonly username: string | undefined;
    readonly password: string | undefined;
  };
  /** Logins at further hosts. */
  readonly logins?: readonly RegistryLogin[] | undefined;
  /** Requests and transfers in flight for each host; undefined adapts them to the host. */
  readonly queryLimit: number | undefined;
  readonly limit: number | undefined;
  readonly retry: RetryPolicy;
  readonly insecureRegistries: readonly Host[];
  /** Hosts whose certificates are not checked. */
  readonly tlsSkipVerify: readonly Host[];
  readonly caFile: string | undefined;
}

/** What the command line or the action provides to a run. */
export interface ConnectionParts {
  readonly environment: NodeJS.ProcessEnv;
  readonly runCredentialHelper: CredentialHelper;
  /** Called with each secret before its first use. */
  readonly onSecret: SecretListener;
  readonly onRetry?: ((error: unknown, attempt: number) => void) | undefined;
  /** What `readAuthorities` returned for `caFile`, if it was read already. */
  readonly authorities?: readonly string[] | undefined;
  /** Shorter ones are for tests. */
  readonly timeouts?: HttpTimeouts | undefined;
  readonly signal: AbortSignal;
  /** When the run has to be over, in milliseconds since 1970. */
  readonly deadline: number | undefined;
}

/** What all registries of a run have in common. */
interface RegistriesSettings {
  readonly credentials: CredentialLookup;
  /** The file that `REGISTRY_AUTH_FILE` names, if it does not exist. */
  readonly absentFile?: string | undefined;
  readonly retry: RetryPolicy;
  readonly limits: LimitSettings;
  /** Hosts that may be reached over plain HTTP, in addition to this machine. */
  readonly insecure: readonly Host[];
  /** Hosts whose certificates are not checked. */
  readonly unverified?: readonly Host[] | undefined;
  /** All certificate authorities to trust, in PEM; the default ones if undefined. */
  readonly authorities?: readonly string[] | undefined;
  readonly timeouts?: HttpTimeouts | undefined;
  /** When the run has to be over, in milliseconds since 1970. */
  readonly deadline?: number | undefined;
  /** The signal of the run. */
  readonly signal: AbortSignal;
  /** Called with each secret before its first use, so that it can be masked. */
  readonly onSecret: SecretListener;
  /** Called for each failed attempt that will be repeated. */
  readonly onRetry?: ((error: unknown, attempt: number) => void) | undefined;
  /** Removes secrets of other connections to the same hosts, which an answer may repeat. */
  readonly redact?: ((text: string) => string) | undefined;
}

/** How many requests one host got. */
interface HostTraffic {
  readonly requests: number;
  readonly retried: number;
  readonly rateLimited: number;
}

/** The registries of a run, one for each host. They share connections, logins and request counts. */
export class Registries {
  readonly #settings: RegistriesSettings;
  readonly #http: HttpClient;
  readonly #known = new Map<Host, Registry>();
  readonly #authorizations: Authorization[] = [];
  readonly #traffic = new Map<string, HostTraffic>();

  constructor(settings: RegistriesSettings) {
    this.#settings = settings;
    this.#http = new HttpClient(settings);
  }

  /** Returns the registry at a host. */
  at(host: Host): Registry {
    const known = this.#known.get(host) ?? this.#open(host);
    this.#known.set(host, known);
    return known;
  }

  /**
   * The requests to each host so far, including hosts that a registry redirected to. Requests for tokens are not
   * counted.
   */
  get traffic(): ReadonlyMap<string, HostTraffic> {
    return this.#traffic;
  }

  /** Returns a text without the secrets that were sent to any host. */
  readonly redact = (text: string): string =>
    this.#authorizations.reduce((clean, { redact }) => redact(clean), text);

  /** Closes idle connections, so that the process can end. */
  close(): void {
    this.#http.close();
  }

  #open(host: Host): Registry {
    const { credentials, retry, limits, insecure, deadline, signal, onSecret, onRetry, redact } =
      this.#settings;
    const endpoint = new Endpoint(host, insecure);
    const onRateLimit = (): void => this.#count(endpoint.url.host, 'rateLimited');
    const hostLimits = new HostLimits(host, limits, { deadline, onRateLimit });
    const http = this.#http;
    const onRequest = (url: URL): void => this.#count(url.host, 'requests');
    const authorization = new Authorization({
      host,
      endpoint,
      http,
      limiter: hostLimits.tokens,
      lookup: credentials,
      absentFile: this.#settings.absentFile,
      onSecret,
      onRequest,
      signal,
      alsoRedact: redact,
    });
    this.#authorizations.push(authorization);
    const transport = new Transport({ http, endpoint, authorization, onRequest });
    return new Registry({
      host,
      endpoint,
      transport,
      limits: hostLimits,
      retry,
      signal,
      onRetry: (error, attempt) => {
        this.#count(endpoint.url.host, 'retried');
        onRetry?.(error, attempt);
      },
    });
  }

  #count(host: string, what: keyof HostTraffic): void {
    const row = this.#traffic.get(host) ?? { requests: 0, retried: 0, rateLimited: 0 };
    this.#traffic.set(host, { ...row, [what]: row[what] + 1 });
  }
}

/** The name of the logins at further hosts, for people. */
const LIST_OF_LOGINS = 'KEEL_REGISTRY_LOGINS (registry-logins in a workflow)';

function limitsOf({ queryLimit, limit }: Pick<ConnectionSettings, 'queryLimit' | 'limit'>): LimitSettings {
  return {
    metadata: queryLimit === undefined ? ADAPTIVE_LIMITS.metadata : { start: queryLimit },
    transfers: limit === undefined ? ADAPTIVE_LIMITS.transfers : { start: limit },
  };
}

/**
 * Returns the registries of a run, with logins from the settings and those that `docker login` and `podman login` stored.
 * Throws `CA_FILE_MALFORMED`.
 */
export async function openRegistries(
  settings: ConnectionSettings,
  parts: ConnectionParts,
): Promise<Registries> {
  const { login, logins = [] } = settings;
  const { environment, runCredentialHelper, onSecret, signal } = parts;
  for (const { password } of [login, ...logins]) if (password !== undefined) onSecret(password, 'password');
  return new Registries({
    ...(await connectionOf(settings, parts)),
    credentials: lookupInTurn([
      explicitCredential(login.host, login.username, login.password),
      ...logins.map(({ host, username, password }) =>
        explicitCredential(host, username, password, LIST_OF_LOGINS),
      ),
      ...loginFiles(environment).map((file) => dockerCredentials(file, runCredentialHelper, signal)),
    ]),
    absentFile: absentLoginFile(environment),
  });
}

/**
 * Returns registries as seen without an account: no login is read, given or stored. Throws `CA_FILE_MALFORMED`.
 */
export async function openWithoutLogin(
  settings: Omit<ConnectionSettings, 'login' | 'logins'>,
  parts: Omit<ConnectionParts, 'environment' | 'runCredentialHelper'>,
  known: Registries,
): Promise<Registries> {
  const connection = await connectionOf(settings, parts);
  return new Registries({ ...connection, credentials: async () => [], redact: known.redact });
}

async function connectionOf(
  settings: Omit<ConnectionSettings, 'login' | 'logins'>,
  parts: Omit<ConnectionParts, 'environment' | 'runCredentialHelper'>,
): Promise<Omit<RegistriesSettings, 'credentials'>> {
  const { retry, insecureRegistries, tlsSkipVerify, caFile } = settings;
  const { onSecret, onRetry, timeouts, signal, deadline } = parts;
  const authorities = parts.authorities ?? (await readAuthorities(caFile, signal));
  return {
    retry,
    limits: limitsOf(settings),
    insecure: insecureRegistries,
    unverified: tlsSkipVerify,
    signal,
    onSecret,
    authorities,
    timeouts,
    deadline,
    onRetry,
  };
}
