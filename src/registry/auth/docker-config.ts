import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { recordOf, TEXT_FIELD } from '../../lib/zero-value.ts';
import { DOCKER_HUB, type Host, parseHost } from '../oci/reference.ts';
import type { Credential, CredentialLookup } from './credentials.ts';

/** Runs `docker-credential-<helper> get` for a server address. Returns undefined if it has no login for it. */
export type CredentialHelper = (
  helper: string,
  server: string,
  signal: AbortSignal,
) => Promise<{ readonly username: string; readonly password: string } | undefined>;

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

/**
 * Returns the host of a key in `auths` or `credHelpers`; undefined if the key is not for a whole host. A key with a
 * path, other than that of an API version, is only for a part of a registry. Keys have to match exactly, so that no
 * login is sent to another host.
 */
function hostOfKey(key: string): Host | undefined {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
  if (bare.includes('/')) return undefined;
  try {
    return parseHost(bare);
  } catch {
    return undefined;
  }
}

/** Returns what is held for a host: Docker Hub can be there under several names, some without a login. */
function allOfHost<Value>(record: Record<string, Value>, host: Host): Value[] {
  return Object.entries(record).flatMap(([key, value]) => (hostOfKey(key) === host ? [value] : []));
}

async function readConfig(file: string): Promise<DockerConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return configShape.parse({});
    throw new Failure({ code: 'DOCKER_CONFIG_UNREADABLE', about: file, message: 'it cannot be read', cause });
  }
  try {
    // Docker takes an empty file and null for a configuration without anything.
    return configShape.parse(JSON.parse(text.trim() || 'null') ?? {});
  } catch (cause) {
    throw new Failure({
      code: 'DOCKER_CONFIG_UNREADABLE',
      about: file,
      message: 'it is not a Docker configuration',
      hint: 'repair it, or point DOCKER_CONFIG at another folder',
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

/** Returns the path of Docker's configuration: `config.json` in the folder `DOCKER_CONFIG`, else in `~/.docker`. */
export function dockerConfigFile(environment: NodeJS.ProcessEnv): string {
  return join(environment['DOCKER_CONFIG'] || join(homedir(), '.docker'), 'config.json');
}

/**
 * Returns a lookup in Docker's `config.json`: in `credHelpers`, then `credsStore`, then `auths`, each for exactly the
 * given host. The file is read once, at the first lookup; a missing file has no logins. A helper is stopped when the
 * signal aborts. The lookup throws `DOCKER_CONFIG_UNREADABLE`.
 */
export function dockerCredentials(
  file: string,
  runHelper: CredentialHelper,
  signal: AbortSignal,
): CredentialLookup {
  let config: Promise<DockerConfig> | undefined;
  return async (host) => {
    config ??= readConfig(file);
    const known = await config;
    const helper = allOfHost(known.credHelpers, host).find((name) => name !== '') ?? known.credsStore;
    if (helper !== undefined) {
      const found = await runHelper(helper, host === DOCKER_HUB ? DOCKER_HUB_SERVER : host, signal);
      if (found?.username === TOKEN_USERNAME) return { kind: 'identity-token', token: found.password };
      if (found !== undefined) return { kind: 'password', ...found };
    }
    const [stored] = allOfHost(known.auths, host).flatMap((entry) => storedCredential(entry) ?? []);
    return stored;
  };
}
