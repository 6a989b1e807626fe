import type { Architecture } from '../../config/kubernetes/architecture.ts';
import { Failure } from '../../lib/failure.ts';
import { withoutTrailing } from '../../lib/text/trailing.ts';
import {
  type Host,
  isHostPart,
  parseHost,
  parseRepository,
  parseTag,
  type Reference,
  type Repository,
} from '../../registry/oci/reference.ts';
import { basenameOf, hasTakenBasename } from './known-image.ts';

/** The source of images: each image's own registry, or one mirror for all. */
export type ImageSource =
  | { readonly kind: 'upstream' }
  | { readonly kind: 'mirror'; readonly host: Host; readonly namespace: Repository | undefined };

/** A name under which an image may exist at the source. */
export interface PullCandidate {
  readonly reference: Reference;
  /** Whether the architecture is part of the name, as in `kube-proxy-amd64:v1.22.2`. */
  readonly namesArchitecture: boolean;
}

/**
 * Returns the source that `upstream`, `host` or `host/namespace` means. Throws `IMAGE_SOURCE_MALFORMED` or
 * `REFERENCE_MALFORMED`.
 */
export function parseImageSource(text: string, about: string): ImageSource {
  const trimmed = withoutTrailing(text.trim(), '/');
  if (trimmed === 'upstream') return { kind: 'upstream' };
  const slash = trimmed.indexOf('/');
  const host = slash < 0 ? trimmed : trimmed.slice(0, slash);
  if (!isHostPart(host)) {
    throw new Failure({
      code: 'IMAGE_SOURCE_MALFORMED',
      fault: 'usage',
      about,
      message: `"${text.slice(0, 200)}" does not specify a registry to pull images from`,
      hint: 'write upstream, or a mirror such as registry.cn-hangzhou.aliyuncs.com/keel',
    });
  }
  const namespace = slash < 0 ? undefined : parseRepository(trimmed.slice(slash + 1), about);
  return { kind: 'mirror', host: parseHost(host, about), namespace };
}

function repositoriesAt(source: ImageSource, upstream: Reference): { host: Host; repository: Repository }[] {
  if (source.kind === 'upstream') return [{ host: upstream.host, repository: upstream.repository }];
  // At a mirror of basenames, the name of a well-known image means that image.
  const paths = new Set(
    hasTakenBasename(upstream)
      ? [upstream.repository]
      : [basenameOf(upstream.repository), upstream.repository],
  );
  const prefix = source.namespace === undefined ? '' : `${source.namespace}/`;
  return [...paths].map((path) => ({ host: source.host, repository: parseRepository(`${prefix}${path}`) }));
}

/**
 * Returns the names under which an image may exist at a source, the most likely first: the plain ones, then
 * `<name>-<arch>:<tag>` and `<name>:<tag>-<arch>`, which older mirrors use instead of a list of platforms.
 */
export function pullCandidates(
  source: ImageSource,
  upstream: Reference,
  arch: Architecture,
): PullCandidate[] {
  const { tag } = upstream;
  const places = repositoriesAt(source, upstream);
  const plain = places.map((place) => ({ reference: { ...place, tag }, namesArchitecture: false }));
  if (tag === undefined) return plain;
  const inRepository = places.map(({ host, repository }) => ({
    reference: { host, repository: parseRepository(`${repository}-${arch}`), tag },
    namesArchitecture: true,
  }));
  const inTag = places.map(({ host, repository }) => ({
    reference: { host, repository, tag: parseTag(`${tag}-${arch}`) },
    namesArchitecture: true,
  }));
  return [...plain, ...inRepository, ...inTag];
}

/**
 * Returns whether a name is in the upstream repository, or in the one for a single architecture next to it. Other
 * repositories of the same registry have other owners.
 */
export function isAtMaker(
  { host, repository }: Pick<Reference, 'host' | 'repository'>,
  upstream: Reference,
  namesArchitecture: boolean,
): boolean {
  if (host !== upstream.host) return false;
  if (repository === upstream.repository) return true;
  const beginning = `${upstream.repository}-`;
  return (
    namesArchitecture && repository.startsWith(beginning) && !repository.slice(beginning.length).includes('/')
  );
}
