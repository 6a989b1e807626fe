import { Failure } from '../../lib/failure.ts';
import { hasLogin } from '../../lib/text/hidden-secrets.ts';
import { withoutTrailing } from '../../lib/text/trailing.ts';
import { pastedName } from '../../registry/oci/pasted-name.ts';
import {
  type Host,
  isRepository,
  parseHost,
  parseRepository,
  type Repository,
} from '../../registry/oci/reference.ts';
import { KUBERNETES_REGISTRY, OLD_KUBERNETES_REGISTRY } from '../image-set-name.ts';
import type { FlagReader } from './flag-reader.ts';
import { type FlagParser, wholeNumber } from './flag-value.ts';

const NO_NAMESPACE = '/';
const IN_FLIGHT = wholeNumber(1, 1000);

/** The flags that name a namespace of a registry. */
type NamespaceFlag = 'push-ns' | 'namespace';

/** Returns a path in a registry. A slash at either end is ignored. Throws `REFERENCE_MALFORMED`. */
export function parsePath(text: string, about: string): Repository {
  return parseRepository(withoutTrailing(text, '/').replace(/^\/+/, ''), about);
}

/** Returns the namespace that a flag names, or undefined for `/`, which means none. */
export function readNamespace<Name extends string>(
  flags: FlagReader<Name>,
  name: Extract<Name, NamespaceFlag>,
): Repository | undefined {
  return flags.text(name) === NO_NAMESPACE ? undefined : flags.required(name, parsePath);
}

/** Returns a parser of hosts that replaces the frozen registry of Kubernetes, with a notice about it. */
export function hostParser(notices: Set<string>): FlagParser<Host> {
  return (text, about) => {
    const host = parseHost(text, about);
    if (host !== OLD_KUBERNETES_REGISTRY) return host;
    notices.add(`${about}: ${host} is frozen and being shut down; ${KUBERNETES_REGISTRY} is used instead`);
    return parseHost(KUBERNETES_REGISTRY);
  };
}

/** Two flags: the host of a registry, and a namespace in it. */
interface HostAndNamespace<Name extends string> {
  readonly host: Name;
  readonly namespace: Extract<Name, NamespaceFlag>;
}

/**
 * Returns the host that a flag names. For a host with a path, the hint shows how to give the path with the flag of the
 * namespace.
 */
export function readHost<Name extends string>(
  flags: FlagReader<Name>,
  names: HostAndNamespace<Name>,
  parser: FlagParser<Host>,
): Host {
  return flags.required(names.host, (text, about) => {
    try {
      return parser(text, about);
    } catch (error) {
      const [host = '', ...path] = pastedName(text).split('/');
      const given = flags.isGiven(names.namespace) ? flags.text(names.namespace) : undefined;
      const namespace = [...path, ...(given?.split('/') ?? [])].filter((part) => part !== '').join('/');
      if (!(error instanceof Failure) || hasLogin(text) || path.length === 0) throw error;
      if (!isRegistryHost(host) || !isRepository(namespace)) throw error;
      const { code, fault, message } = error;
      const hint = `write ${flags.written([
        [names.host, host],
        [names.namespace, namespace],
      ])}`;
      throw new Failure({ code, fault, about: error.about, message, hint, cause: error.cause });
    }
  });
}

function isRegistryHost(text: string): boolean {
  try {
    parseHost(text);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** Returns how many requests and transfers may be in flight per host. If undefined, the run adapts the number. */
export function readLimits<Name extends string>(
  flags: FlagReader<Name | 'query-limit' | 'limit'>,
): { readonly queryLimit: number | undefined; readonly limit: number | undefined } {
  return { queryLimit: flags.optional('query-limit', IN_FLIGHT), limit: flags.optional('limit', IN_FLIGHT) };
}

/** Keeps a failure if there is a user name without a password, or a password without a user name. */
export function refuseHalfLogin<Name extends string>(
  flags: FlagReader<Name | 'username' | 'password'>,
  login: { readonly username: string | undefined; readonly password: string | undefined },
): void {
  if (login.username !== undefined && login.password === undefined) {
    const hint = `set ${flags.label('password')} or the environment variable KEEL_PASSWORD`;
    flags.refuse('username', 'there is a user name but no password', hint);
  }
  if (login.password !== undefined && login.username === undefined) {
    const hint = `set ${flags.label('username')} too`;
    flags.refuse('password', 'there is a password but no user name', hint);
  }
}
