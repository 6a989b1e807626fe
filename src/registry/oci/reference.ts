import { Failure } from '../../lib/failure.ts';
import { hasLogin, withoutLogins } from '../../lib/text/hidden-secrets.ts';
import { type Digest, isDigest } from './digest.ts';
import { pastedName } from './pasted-name.ts';

/** The host of a registry as in references: a name or address with an optional port, in lower case. */
export type Host = string & { readonly grammar: 'host' };
/** A path within a registry, such as `library/nginx`. */
export type Repository = string & { readonly grammar: 'repository' };
export type Tag = string & { readonly grammar: 'tag' };

/** The name of an image. Without a tag and a digest it is the whole repository. */
export interface Reference {
  readonly host: Host;
  readonly repository: Repository;
  readonly tag?: Tag | undefined;
  readonly digest?: Digest | undefined;
}

/** The one name of Docker Hub in this program. */
export const DOCKER_HUB = 'docker.io' as Host;
/** The host that is asked for its images. */
const DOCKER_HUB_API = 'registry-1.docker.io' as Host;

const HOST =
  /^(?:(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])(?:\.(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9]))*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/;
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const REPOSITORY_LENGTH_LIMIT = 255;
const DOCKER_HUB_ALIASES: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
]);

function malformed(about: string, message: string, hint: string): Failure<'REFERENCE_MALFORMED'> {
  const shown = withoutLogins(about).slice(0, 400) || 'image reference';
  return new Failure({ code: 'REFERENCE_MALFORMED', fault: 'usage', about: shown, message, hint });
}

/** Reads the host of a registry. Returns `docker.io` for all names of Docker Hub. Throws `REFERENCE_MALFORMED`. */
export function parseHost(text: string, about = text): Host {
  const host = text.toLowerCase();
  refuseLogin(text, about);
  if (DOCKER_HUB_ALIASES.has(host)) return DOCKER_HUB;
  // URL parsing also refuses numbers that are not addresses, and ports that are too large.
  if (host.length > 253 || !HOST.test(host) || !URL.canParse(`https://${host}/`)) {
    const [meant = ''] = pastedName(text).split('/');
    const isPasted = meant !== host && HOST.test(meant);
    throw malformed(
      about,
      `"${text.slice(0, 200)}" is not a registry host`,
      isPasted
        ? `write ${meant}`
        : `write a name such as registry.k8s.io or 10.0.0.5:5000, without https://${about === text ? ' and without a path' : ''}`,
    );
  }
  return host as Host;
}

/** Returns the host that answers requests to a registry. Except for Docker Hub, it is the host of the name. */
export function apiHost(registry: Host): Host {
  return registry === DOCKER_HUB ? DOCKER_HUB_API : registry;
}

/** Throws `REFERENCE_MALFORMED` for a login in front of a host, and does not repeat it. */
export function refuseLogin(text: string, about = text): void {
  if (!hasLogin(text)) return;
  throw malformed(
    about,
    'it contains a user name and a password, which are not read from there',
    `write ${pastedName(text)}, and log in with docker login`,
  );
}

/** Returns whether a text can be a repository path. */
export function isRepository(text: string): text is Repository {
  return (
    text.length <= REPOSITORY_LENGTH_LIMIT &&
    text.split('/').every((component) => PATH_COMPONENT.test(component))
  );
}

/** Reads a repository path (distribution-spec, "Pulling manifests"). Throws `REFERENCE_MALFORMED`. */
export function parseRepository(text: string, about = text): Repository {
  const wrong = text.split('/').find((component) => !PATH_COMPONENT.test(component));
  if (wrong !== undefined) {
    refuseLogin(text, about);
    const meant = pastedName(text).replace(/^\/+/, '');
    if (meant.toLowerCase() !== text.toLowerCase() && isRepository(meant)) {
      throw malformed(about, `"${text.slice(0, 200)}" is not a repository name`, `write ${meant}`);
    }
    const shown = wrong === '' ? 'an empty path component' : `"${wrong.slice(0, 200)}"`;
    const hint =
      wrong.toLowerCase() !== wrong && PATH_COMPONENT.test(wrong.toLowerCase())
        ? `repositories are lower case: ${text.toLowerCase()}`
        : 'a path component is lower-case letters and digits, joined by ".", "_", "__" or "-"';
    throw malformed(about, `${shown} cannot be part of a repository name`, hint);
  }
  if (text.length > REPOSITORY_LENGTH_LIMIT) {
    throw malformed(about, `the repository name has ${text.length} characters`, 'registries allow 255');
  }
  return text as Repository;
}

/** Returns whether a text can be a tag. */
export function isTag(text: string): text is Tag {
  return TAG.test(text);
}

/** Reads a tag. Throws `REFERENCE_MALFORMED`. */
export function parseTag(text: string, about = text): Tag {
  if (isTag(text)) return text;
  throw malformed(
    about,
    text === '' ? 'the tag after ":" is empty' : `"${text.slice(0, 200)}" is not a tag`,
    'a tag is up to 128 letters, digits, "_", "." and "-", and does not start with "." or "-"',
  );
}

/**
 * Returns whether the first part of a name, up to its first slash, is a host: it has a dot or a port, or is localhost.
 * Otherwise it is the beginning of a path. https://github.com/distribution/reference
 */
export function isHostPart(part: string): boolean {
  return part.includes('.') || part.includes(':') || part === 'localhost';
}

/** Returns whether a name begins with a host, as `quay.io/calico/node` does and `calico/node` does not. */
export function startsWithHost(name: string): boolean {
  return name.includes('/') && isHostPart(name.slice(0, name.indexOf('/')));
}

function splitHost(name: string): { host: Host; path: string } {
  const slash = name.indexOf('/');
  const namesHost = startsWithHost(name);
  const host = namesHost ? parseHost(name.slice(0, slash), name) : DOCKER_HUB;
  const path = namesHost ? name.slice(slash + 1) : name;
  return { host, path: host === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path };
}

/**
 * Reads an image reference, `[host/]path[:tag][@digest]`. It accepts the short names of Docker Hub: `nginx` is
 * `docker.io/library/nginx`. A missing tag or digest stays missing. Throws `REFERENCE_MALFORMED`.
 */
export function parseReference(text: string): Reference {
  if (text === '') {
    throw malformed('image reference', 'it is empty', 'write one such as registry.k8s.io/pause:3.10.2');
  }
  refuseLogin(text, text);
  if (/^[a-z]+:\/\//i.test(text)) {
    const meant = pastedName(text);
    const isImage = meant.includes('/');
    throw malformed(
      text,
      'this is an address and not the name of an image',
      isImage ? `write ${meant}` : `write ${meant}/ and the path of the image`,
    );
  }
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw malformed(
      text,
      `"${digest.slice(0, 200)}" after "@" is not a digest`,
      'write sha256: and 64 lower-case hexadecimal digits',
    );
  }
  const named = at < 0 ? text : text.slice(0, at);
  // Only a colon after the last slash starts a tag. One before it belongs to the port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const { host, path } = splitHost(colon < 0 ? named : named.slice(0, colon));
  return {
    host,
    repository: parseRepository(path, text),
    tag: colon < 0 ? undefined : parseTag(named.slice(colon + 1), text),
    digest,
  };
}

/** Returns a reference in full: `docker.io/library/nginx:1.29@sha256:…`. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.host}/${reference.repository}${tag}${digest}`;
}
