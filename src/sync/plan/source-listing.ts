import { failureCode } from '../../lib/failure.ts';
import { type Host, parseHost, parseRepository, type Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { TagList } from '../../registry/tag-list.ts';

/** Another way to the listings of a registry: who answers them behind it, and under which path. */
interface ListingBackend {
  readonly host: Host;
  readonly path: Repository;
}

/** registry.k8s.io passes listings on to this one, but drops the query that asks for further pages. https://github.com/kubernetes/registry.k8s.io/issues/326 */
const LISTING_BACKENDS: ReadonlyMap<string, ListingBackend> = new Map([
  [
    'registry.k8s.io',
    { host: parseHost('us-central1-docker.pkg.dev'), path: parseRepository('k8s-artifacts-prod/images') },
  ],
]);

/** Page sizes at which a listing without a next page was probably cut. */
const SUSPICIOUS_SIZES: ReadonlySet<number> = new Set([1000, 10_000]);

/** Returns the listing of a repository, or with `undefined` of the root. */
export type SourceLister = (repository: Repository | undefined, signal: AbortSignal) => Promise<TagList>;

/**
 * Returns how to list a source: from itself, and where it does not list or looks cut off, from what stands behind it if
 * that is known.
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
      const isUnlisted = ['NOT_FOUND', 'DENIED'].includes(failureCode(error));
      if (!isUnlisted || repository !== undefined) throw error;
      return listBehind(backend, repository, signal);
    }
    const isCut = SUSPICIOUS_SIZES.has(listing.tags.length) || SUSPICIOUS_SIZES.has(listing.manifests.size);
    const isBare = repository === undefined && listing.children.length === 0;
    if (!isCut && !isBare) return listing;
    // A hint that did not help leaves what there was.
    return listBehind(backend, repository, signal).catch(() => listing);
  };
}
