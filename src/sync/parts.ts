import { type HttpTimeouts, timeoutsWith } from '../lib/http/request-clock.ts';
import type { Reporter } from '../lib/reporter.ts';
import type { SecretListener } from '../lib/secret-forms.ts';
import type { CredentialHelper } from '../registry/auth/docker-config.ts';
import type { Registries } from '../registry/registries.ts';
import { type ConnectionParts, openRegistries, openWithoutLogin } from '../registry/registries.ts';
import type { Makers } from '../upstream/makers.ts';
import type { SyncSettings } from './settings.ts';

/** Whom to ask about a version of kubeadm that neither the built-in table nor the state knows. */
export type KubeadmMaker = Pick<Makers, 'kubeadmTags'>;

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
  /** Who is asked about versions of Kubernetes that are not known; undefined if nobody is. */
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
): Promise<Registries> {
  const timeouts = timeoutsWith(settings.pushTimeout, shorter);
  return openWithoutLogin(connectionOf(settings), { signal, deadline, onSecret, timeouts });
}

/** Not more: the logins are among the settings. */
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
