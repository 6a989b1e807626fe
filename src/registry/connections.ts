import { readAuthorities } from '../lib/http/authorities.ts';
import type { HttpTimeouts } from '../lib/http/http.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import { explicitCredential, firstCredential } from './credentials.ts';
import { type CredentialHelper, dockerConfigFile, dockerCredentials } from './docker-config.ts';
import { ADAPTIVE_LIMITS, type LimitSettings } from './host-limits.ts';
import type { Host } from './oci/reference.ts';
import { Registries } from './registries.ts';

/** What a user says about how registries are talked to. */
export interface ConnectionSettings {
  /** Who we are at one host; elsewhere, and without a name, Docker's configuration is asked. */
  readonly login: {
    readonly host: Host;
    readonly username: string | undefined;
    readonly password: string | undefined;
  };
  /** Requests and transfers in flight per host; undefined lets the run find out. */
  readonly queryLimit: number | undefined;
  readonly limit: number | undefined;
  readonly retry: RetryPolicy;
  readonly insecureRegistries: readonly Host[];
  readonly caFile: string | undefined;
}

/** What the front of a run lends to it. */
export interface ConnectionParts {
  readonly environment: NodeJS.ProcessEnv;
  readonly runCredentialHelper: CredentialHelper;
  /** Told each secret before its first use. */
  readonly onSecret: (secret: string) => void;
  readonly onRetry?: (error: unknown, attempt: number) => void;
  /** Given by tests, whose patience is short. */
  readonly timeouts?: HttpTimeouts | undefined;
  readonly signal: AbortSignal;
  /** When the run has to be over, in milliseconds since 1970. */
  readonly deadline: number | undefined;
}

function limitsOf({ queryLimit, limit }: ConnectionSettings): LimitSettings {
  return {
    metadata: queryLimit === undefined ? ADAPTIVE_LIMITS.metadata : { start: queryLimit },
    transfers: limit === undefined ? ADAPTIVE_LIMITS.transfers : { start: limit },
  };
}

/** Opens the registries of a run: logins from the settings, then from Docker's configuration. Throws `CA_FILE_MALFORMED`. */
export async function openRegistries(
  settings: ConnectionSettings,
  parts: ConnectionParts,
): Promise<Registries> {
  const { login, retry, insecureRegistries, caFile } = settings;
  const { environment, runCredentialHelper, onSecret, onRetry, timeouts, signal, deadline } = parts;
  const authorities = await readAuthorities(caFile);
  if (login.password !== undefined) onSecret(login.password);
  return new Registries({
    credentials: firstCredential([
      explicitCredential(login.host, login.username, login.password),
      dockerCredentials(dockerConfigFile(environment), runCredentialHelper),
    ]),
    retry,
    limits: limitsOf(settings),
    insecure: insecureRegistries,
    signal,
    onSecret,
    ...(authorities === undefined ? {} : { authorities }),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(deadline === undefined ? {} : { deadline }),
    ...(onRetry === undefined ? {} : { onRetry }),
  });
}
