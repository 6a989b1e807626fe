import { type HttpTimeouts, timeoutsWith } from '../lib/http/request-clock.ts';
import type { Reporter } from '../lib/reporter.ts';
import type { SecretListener } from '../lib/secret-forms.ts';
import type { CredentialHelper } from '../registry/auth/docker-config.ts';
import type { Registries } from '../registry/registries.ts';
import { type ConnectionParts, openRegistries } from '../registry/registries.ts';
import type { SyncSettings } from './settings.ts';

/** What the command line or the action lends to a run. */
export interface RunParts {
  readonly reporter: Reporter;
  /** Aborted when the run has to end early. The run then stops within seconds. */
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
  readonly runCredentialHelper: CredentialHelper;
  /** Called with each secret before its first use. */
  readonly onSecret: SecretListener;
  /** Puts the state file where the settings say, while the run looks for what is wanted. */
  readonly fetchState?: (() => Promise<unknown>) | undefined;
  /** The tool's version, for the report. */
  readonly version: string;
  readonly now?: (() => Date) | undefined;
  /** Set by tests, which use shorter timeouts. */
  readonly timeouts?: HttpTimeouts | undefined;
}

/** Opens the registries of a run, with its login at the destination. Throws `CA_FILE_MALFORMED`. */
export function openRunRegistries(settings: SyncSettings, parts: ConnectionParts): Promise<Registries> {
  const { destination: host, username, password, logins, queryLimit, limit, retry } = settings;
  const { insecureRegistries, tlsSkipVerify, caFile } = settings;
  const timeouts = timeoutsWith(settings.pushTimeout, parts.timeouts);
  return openRegistries(
    {
      login: { host, username, password },
      logins,
      queryLimit,
      limit,
      retry,
      insecureRegistries,
      tlsSkipVerify,
      caFile,
    },
    { ...parts, timeouts },
  );
}
