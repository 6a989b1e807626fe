import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { readGivenFile } from '../../lib/given-file.ts';
import { readJson } from '../../lib/json.ts';
import { recordOf, TEXT_FIELD } from '../../lib/zero-value.ts';
import { DOCKER_HUB, type Host, parseHost } from '../oci/reference.ts';
import type { Credential, CredentialLookup, KnownLogin } from './credentials.ts';
import type { LoginFile } from './login-files.ts';

/** A login as a credential helper prints it. */
interface HelperAnswer {
  readonly username: string;
  readonly password: string;
}

/** Runs `docker-credential-<helper> get` for a server address. Returns undefined if it has no login for it. */
export type CredentialHelper = (
  helper: string,
  server: string,
  signal: AbortSignal,
) => Promise<HelperAnswer | undefined>;

const configShape = z.object({
  auths: recordOf(
    z.object({
      auth: TEXT_FIELD,
      username: TEXT_FIELD,
      password: TEXT_FIELD,
      identitytoken: TEXT_FIELD,
    }),
  ),
  credHelpers: recordOf(z.string()),
  credsStore: TEXT_FIELD,
});
type DockerConfig = z.infer<typeof configShape>;

/** The address under which Docker itself stores the login of Docker Hub. */
const DOCKER_HUB_SERVER = 'https://index.docker.io/v1/';
/** The user name that a helper returns if the secret is an identity token. */
const TOKEN_USERNAME = '<token>';

/** What a key in `auths` or `credHelpers` is for: a host, or what lies below a path there. */
interface Place {
  readonly host: Host;
  readonly path: string | undefined;
}

/**
 * Returns what a key is for; undefined if that is unclear. Keys have to match exactly, so that no login is sent to
 * another host. An address has no path but that of an API version.
 */
function placeOf(key: string): Place | undefined {
  const bare = key.replace(/^https?:\/\//, '');
  const isAddress = bare !== key;
  // A namespace may be called v2.
  const version = isAddress ? /\/(?:v[12]\/?)?$/ : /(?<=^[^/]*)\/(?:v[12]\/)?$/;
  const [name = '', ...rest] = bare.replace(version, '').split('/');
  if (rest.length > 0 && isAddress) return undefined;
  try {
    return { host: parseHost(name), path: rest.length === 0 ? undefined : rest.join('/') };
  } catch {
    return undefined;
  }
}

/** Returns the values for a host: Docker Hub can be there under several names, some without a login. */
function allOfHost<Value>(
  record: Record<string, Value>,
  host: Host,
): { readonly path: string | undefined; readonly value: Value }[] {
  return Object.entries(record).flatMap(([key, value]) => {
    const place = placeOf(key);
    return place?.host === host ? [{ path: place.path, value }] : [];
  });
}

async function readConfig(
  { path: file, remedy, mayBeOthers = false }: LoginFile,
  signal: AbortSignal,
): Promise<DockerConfig> {
  let text: string;
  try {
    text = (await readGivenFile(file, signal)).toString('utf8');
  } catch (cause) {
    signal.throwIfAborted();
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const isAbsent = code === 'ENOENT' || code === 'ENOTDIR' || (mayBeOthers && code === 'EACCES');
    if (isAbsent) return configShape.parse({});
    throw new Failure({ code: 'DOCKER_CONFIG_UNREADABLE', about: file, message: 'it cannot be read', cause });
  }
  try {
    // Docker reads an empty file and null as an empty configuration.
    return configShape.parse(readJson(text.trim() || 'null') ?? {});
  } catch (cause) {
    throw new Failure({
      code: 'DOCKER_CONFIG_UNREADABLE',
      about: file,
      message: 'it is not a file of logins such as docker login and podman login write',
      hint: `repair it, or ${remedy}`,
      cause,
    });
  }
}

function storedCredential(entry: DockerConfig['auths'][string]): Credential | undefined {
  if (entry.identitytoken) return { kind: 'identity-token', token: entry.identitytoken };
  if (entry.username && entry.password) {
    return { kind: 'password', username: entry.username, password: entry.password };
  }
  const pair = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 1) return undefined;
  return {
    kind: 'password',
    username: pair.slice(0, colon),
    password: pair.slice(colon + 1).replaceAll('\0', ''),
  };
}

/**
 * Returns a lookup in a file of the form of Docker's `config.json`: in `credHelpers`, then the `auths` with a path, the
 * longest first, then `credsStore` unless the host has a helper of its own, then the other `auths`, each for exactly the
 * given host. The file is read once, at the first lookup; a missing file has no logins. A helper is stopped when the
 * signal aborts. The lookup throws `DOCKER_CONFIG_UNREADABLE`.
 */
export function dockerCredentials(
  file: LoginFile,
  runHelper: CredentialHelper,
  signal: AbortSignal,
): CredentialLookup {
  let config: Promise<DockerConfig> | undefined;
  const ask = async (helper: string | undefined, host: Host): Promise<KnownLogin[]> => {
    if (helper === undefined) return [];
    const found = await runHelper(helper, host === DOCKER_HUB ? DOCKER_HUB_SERVER : host, signal);
    return found === undefined ? [] : [{ credential: helperCredential(found), origin: file.path }];
  };
  return async (host) => {
    config ??= readConfig(file, signal);
    const { auths, credHelpers, credsStore } = await config;
    const helper = allOfHost(credHelpers, host).find(({ path, value }) => path === undefined && value !== '');
    const stored = allOfHost(auths, host).flatMap(({ path, value }): KnownLogin[] => {
      const credential = storedCredential(value);
      return credential === undefined ? [] : [{ credential, path, origin: file.path }];
    });
    return [
      ...(await ask(helper?.value, host)),
      ...stored.filter(({ path }) => path !== undefined).toSorted(byDepth),
      ...(helper === undefined ? await ask(credsStore, host) : []),
      ...stored.filter(({ path }) => path === undefined),
    ];
  };
}

/** If a repository is below two paths, the longer one is more specific. */
function byDepth({ path: one = '' }: KnownLogin, { path: other = '' }: KnownLogin): number {
  return other.length - one.length;
}

function helperCredential({ username, password }: HelperAnswer): Credential {
  return username === TOKEN_USERNAME
    ? { kind: 'identity-token', token: password }
    : { kind: 'password', username, password };
}
