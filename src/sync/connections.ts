import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import { Failure } from '../lib/failure.ts';
import type { HttpTimeouts } from '../lib/http.ts';
import { Registries } from '../registry/client.ts';
import { explicitCredential, firstCredential } from '../registry/credentials.ts';
import { type CredentialHelper, dockerConfigFile, dockerCredentials } from '../registry/docker-config.ts';
import { ADAPTIVE_LIMITS, type LimitSettings } from '../registry/host-limits.ts';
import type { SyncSettings } from './settings.ts';

/** What the front of a run lends to it. */
export interface ConnectionParts {
  readonly environment: NodeJS.ProcessEnv;
  readonly runCredentialHelper: CredentialHelper;
  /** Told each secret before its first use. */
  readonly onSecret: (secret: string) => void;
  readonly onRetry?: (error: unknown, attempt: number) => void;
  /** Given by tests, whose patience is short. */
  readonly timeouts?: HttpTimeouts;
  readonly signal: AbortSignal;
  /** When the run has to be over, in milliseconds since 1970. */
  readonly deadline: number | undefined;
}

function limitsOf(settings: SyncSettings): LimitSettings {
  const { queryLimit, limit } = settings;
  return {
    metadata: queryLimit === undefined ? ADAPTIVE_LIMITS.metadata : { start: queryLimit },
    transfers: limit === undefined ? ADAPTIVE_LIMITS.transfers : { start: limit },
  };
}

async function readAuthorities(file: string | undefined): Promise<string[] | undefined> {
  if (file === undefined) return undefined;
  try {
    const pem = await readFile(file, 'utf8');
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate');
    return [...getCACertificates('default'), pem];
  } catch (cause) {
    throw new Failure({
      code: 'CA_FILE_MALFORMED',
      about: `--ca-file ${file}`,
      message: cause instanceof Error ? cause.message : 'it cannot be read',
      hint: 'give a file with PEM certificates',
      cause,
    });
  }
}

/** Opens the registries of a run: logins from the settings, then from Docker's configuration. Throws `CA_FILE_MALFORMED`. */
export async function openRegistries(settings: SyncSettings, parts: ConnectionParts): Promise<Registries> {
  const { destination, username, password, retry, retryInterval, insecureRegistries, caFile } = settings;
  const { environment, runCredentialHelper, onSecret, onRetry, timeouts, signal, deadline } = parts;
  const authorities = await readAuthorities(caFile);
  if (password !== undefined) onSecret(password);
  return new Registries({
    credentials: firstCredential([
      explicitCredential(destination, username, password),
      dockerCredentials(dockerConfigFile(environment), runCredentialHelper),
    ]),
    attempts: { attempts: retry, interval: retryInterval },
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
