import { type HttpTimeouts, timeoutsWith } from '../lib/http/request-clock.ts';
import type { Reporter } from '../lib/reporter.ts';
import type { SecretListener } from '../lib/secret-forms.ts';
import type { CredentialHelper } from '../registry/auth/docker-config.ts';
import type { Registries } from '../registry/registries.ts';
import { type ConnectionParts, openRegistries, openWithoutLogin } from '../registry/registries.ts';
import type { Makers } from '../upstream/makers.ts';
import type { SyncSettings } from './settings.ts';

/** Answers requests about versions of kubeadm that neither the built-in table nor the state has. */
export type KubeadmMaker = Pick<Makers, 'kubeadmTags'>;

/** What the command line or the action passes to a run. */
export interface RunParts {
  readonly reporter: Reporter;
  /** Aborted when the run has to end early. The run then stops within seconds. */
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
  readonly runCredentialHelper: CredentialHelper;
  /** Called with each secret before its first use. */
  readonly onSecret: SecretListener;
  /** Fetches the state file to the path in the settings, while the run searches for what is wanted. */
  readonly fetchState?: (() => Promise<unknown>) | undefined;
  /** Answers requests about unknown versions of Kubernetes; undefined if upstream is not asked. */
  readonly maker?: KubeadmMaker | undefined;
  /** The tool's version, for the report. */
  readonly version: string;
  readonly now?: (() => Date) | undefined;
  /** Set by tests, which use shorter timeouts. */
  readonly timeouts?: HttpTimeouts | undefined;
}

/** Opens the registries of a run, with its login at the destination. Throws `CA_FILE_MALFORMED`. */
export function openRunRegistries(settings: SyncSettings, parts: ConnectionParts): Promise<Registries> {
  const { destination: host, username, password, logins } = settings;
  const timeouts = timeoutsWith(settings.pushTimeout, parts.timeouts);
  const login = { host, username, password };
  return openRegistries({ ...connectionOf(settings), login, logins }, { ...parts, timeouts });
}

/** Opens the registries of a run as a machine without a login sees them. Throws `CA_FILE_MALFORMED`. */
export function openRegistriesWithoutLogin(
  settings: SyncSettings,
  { signal, deadline, onSecret, timeouts: shorter }: ConnectionParts,
  known: Registries,
): Promise<Registries> {
  const timeouts = timeoutsWith(settings.pushTimeout, shorter);
  return openWithoutLogin(connectionOf(settings), { signal, deadline, onSecret, timeouts }, known);
}

/** Returns only these, because the settings contain logins too. */
function connectionOf({
  queryLimit,
  limit,
  retry,
  insecureRegistries,
  tlsSkipVerify,
  caFile,
}: SyncSettings): Parameters<typeof openWithoutLogin>[0] {
  return { queryLimit, limit, retry, insecureRegistries, tlsSkipVerify, caFile };
}
