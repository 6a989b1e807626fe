import { APISERVER } from '../../config/kubeadm-images.ts';
import {
  type Host,
  parseHost,
  parseRepository,
  type Repository,
  type Tag,
} from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound, isRefusedQuestion } from '../../registry/registry-failure.ts';
import type { TagList } from '../../registry/tag-list.ts';
import { isSignatureTag } from '../select/signature-tag.ts';

/** The registry behind a source that answers its listings, and the path there. */
interface ListingBackend {
  readonly host: Host;
  readonly path: Repository;
}

/**
 * registry.k8s.io redirects listings, but drops the query for further pages.
 * https://github.com/kubernetes/registry.k8s.io/issues/326
 */
const LISTING_BACKENDS: ReadonlyMap<string, ListingBackend> = new Map([
  [
    'registry.k8s.io',
    { host: parseHost('us-central1-docker.pkg.dev'), path: parseRepository('k8s-artifacts-prod/images') },
  ],
]);

/** A listing of exactly so many entries was probably cut off at the end of a page. */
const SUSPICIOUS_SIZES: ReadonlySet<number> = new Set([1000, 10_000]);

/** Returns the listing of a repository, or of the root of the registry for undefined. */
export type SourceLister = (repository: Repository | undefined, signal: AbortSignal) => Promise<TagList>;

/**
 * Returns a function that lists repositories of a source. If the source does not list them, or only in part, it asks
 * the registry behind the source, if one is known.
 */
export function sourceLister(
  source: Registry,
  registryAt: (host: Host) => Registry,
  backends: ReadonlyMap<string, ListingBackend> = LISTING_BACKENDS,
): SourceLister {
  const backend = backends.get(source.host);
  const listBehind = (known: ListingBackend, repository: Repository | undefined, signal: AbortSignal) => {
    const path = repository === undefined ? known.path : parseRepository(`${known.path}/${repository}`);
    return registryAt(known.host).listTags(path, signal);
  };
  return async (repository, signal) => {
    if (backend === undefined) return source.listTags(repository, signal);
    let listing: TagList;
    try {
      listing = await source.listTags(repository, signal);
    } catch (error) {
      if (!isRefusedQuestion(error) || repository !== undefined) throw error;
      return listBehind(backend, repository, signal);
    }
    const isCut = SUSPICIOUS_SIZES.has(listing.tags.length) || SUSPICIOUS_SIZES.has(listing.manifests.size);
    const isBare = repository === undefined && listing.children.length === 0;
    if (!isCut && !isBare) return listing;
    // If that fails too, the listing of the source is better than none.
    return listBehind(backend, repository, signal).catch(() => {
      signal.throwIfAborted();
      return { ...listing, isCut };
    });
  };
}

/** Returns the tags that a source has of kube-apiserver; undefined if it has no such repository. */
export async function listApiserver(
  source: Registry,
  registryAt: (host: Host) => Registry,
  signal: AbortSignal,
): Promise<TagList | undefined> {
  try {
    return await sourceLister(source, registryAt)(parseRepository(APISERVER), signal);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Returns whether a repository has images, and not only signatures of images or repositories below it. */
export function holdsImages({ tags, manifests }: TagList): boolean {
  const isOfImage = (tag: Tag): boolean => !isSignatureTag(tag);
  return tags.some(isOfImage) || [...manifests.keys()].some(isOfImage);
}
