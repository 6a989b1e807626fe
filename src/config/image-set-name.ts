import { Failure } from '../lib/failure.ts';
import { withoutTrailing } from '../lib/text/trailing.ts';
import {
  formatReference,
  parseReference,
  parseRepository,
  type Reference,
  refuseLogin,
  startsWithHost,
} from '../registry/oci/reference.ts';

/** The registry of names without a host, also if `--source` is a mirror of it. */
export const KUBERNETES_REGISTRY = 'registry.k8s.io';
/** The host of that registry until 2023. https://kubernetes.io/blog/2023/02/06/k8s-gcr-io-freeze-announcement/ */
export const OLD_KUBERNETES_REGISTRY = 'k8s.gcr.io';

/**
 * The name of an image in a set: the repository's path for images of the source registry, and
 * `host/path` for those of other registries.
 */
export type ImageName = string;

function malformed(message: string, hint: string): Failure<'REFERENCE_MALFORMED'> {
  return new Failure({ code: 'REFERENCE_MALFORMED', fault: 'usage', about: 'image set', message, hint });
}

/** Returns whether a text starts with the host of the old registry. */
export function namesOldRegistry(text: string): boolean {
  return text.toLowerCase().startsWith(`${OLD_KUBERNETES_REGISTRY}/`);
}

/** Returns a text without a leading `registry.k8s.io/` or `k8s.gcr.io/`. */
export function withoutKubernetesHost(text: string): string {
  for (const host of [KUBERNETES_REGISTRY, OLD_KUBERNETES_REGISTRY]) {
    if (text.toLowerCase().startsWith(`${host}/`)) return text.slice(host.length + 1);
  }
  return text;
}

function refuseTag(text: string): void {
  if (text.includes('://')) parseReference(text);
  const last = text.lastIndexOf('/') + 1;
  const inLast = text.slice(last).search(/[:@]/);
  if (inLast < 0) return;
  const at = last + inLast;
  throw malformed(
    `expected a name without a tag, found "${text}"`,
    `write "${text.slice(0, at)}", and choose its tags with a patch`,
  );
}

/** Returns a name of the source registry. Throws `REFERENCE_MALFORMED`. */
export function parseSourceName(text: string): ImageName {
  refuseLogin(text);
  const path = withoutKubernetesHost(text);
  refuseTag(path);
  if (startsWithHost(path)) {
    throw malformed(`"${text}" names another registry`, 'move it to "extras"');
  }
  return parseRepository(path);
}

/** Returns the name of an image of the source registry or of another one. Throws `REFERENCE_MALFORMED`. */
export function parseImageName(text: string): ImageName {
  refuseLogin(text);
  const path = withoutKubernetesHost(text);
  refuseTag(path);
  return startsWithHost(path) ? formatReference(parseReference(path)) : parseRepository(path);
}

/** Returns a prefix of names of the source registry. Throws `REFERENCE_MALFORMED`. */
export function parsePrefix(text: string): string {
  refuseLogin(text);
  const prefix = withoutKubernetesHost(text);
  if (startsWithHost(prefix)) {
    throw malformed(
      `"${text}" names another registry`,
      'name the images of other registries one by one in "extras"',
    );
  }
  if (!/^(?:[a-z0-9][a-z0-9._/-]*)?$/.test(prefix)) {
    throw malformed(
      `no repository name starts with "${text}"`,
      prefix.endsWith('*')
        ? `a prefix needs no star: write "${withoutTrailing(prefix, '*')}"`
        : 'names are lower-case letters, digits, ".", "_", "-" and "/"',
    );
  }
  return prefix;
}

/** Returns a full reference `host/path[:tag][@digest]` to an image of any registry. Throws `REFERENCE_MALFORMED`. */
export function parseExtra(text: string): Reference {
  const current = namesOldRegistry(text) ? `${KUBERNETES_REGISTRY}/${withoutKubernetesHost(text)}` : text;
  const reference = parseReference(current);
  if (!startsWithHost(current)) {
    throw malformed(
      `expected host/path[:tag], found "${text}" without a host`,
      `write "${formatReference(reference)}" for Docker Hub, or put it into "names" if it is an image of the source registry`,
    );
  }
  return reference;
}

/** Returns the name in a set of an image of another registry. */
export function extraName(reference: Pick<Reference, 'host' | 'repository'>): ImageName {
  return `${reference.host}/${reference.repository}`;
}
