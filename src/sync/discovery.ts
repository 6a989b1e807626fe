import type { ImageName } from '../config/image-name.ts';
import type { ImageSet } from '../config/image-set.ts';
import { parseRepository, type Repository, type Tag } from '../registry/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { isNotFound } from '../registry/registry-failure.ts';
import type { TagList } from '../registry/tag-list.ts';
import { extrasOf } from './extras.ts';
import { couldWantBelow, wantsRepository } from './selection.ts';

/** A source repository that the image set wants. */
export interface FoundRepository {
  readonly name: ImageName;
  readonly registry: Registry;
  readonly repository: Repository;
  /** Gives its listing, which may have come with the walk; `undefined` when the repository does not exist. */
  readonly list: () => Promise<TagList | undefined>;
  /** Tags that the set names one by one, where it wants no others: then nothing has to be listed. */
  readonly namedTags: readonly Tag[] | undefined;
}

/** What is needed to find the repositories of an image set. */
export interface DiscoveryParts {
  readonly set: ImageSet;
  readonly source: Registry;
  /** Gives the registry of an extra. */
  readonly registryAt: (host: Registry['host']) => Registry;
  /** `--addition-ns`: namespaces to search for prefixes; `*` is all. */
  readonly namespaces: readonly string[];
  readonly signal: AbortSignal;
}

/** Deeper than any namespace of registry.k8s.io. */
const DEPTH_LIMIT = 8;

function listOf(registry: Registry, repository: Repository, signal: AbortSignal): FoundRepository['list'] {
  let listing: Promise<TagList | undefined> | undefined;
  return () => {
    listing ??= registry.listTags(repository, signal).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    return listing;
  };
}

/**
 * Finds the repositories that an image set wants: named ones and extras straight away, prefixes by walking the `child`
 * lists of Google's extension (field of `tags/list`). Only what could be wanted is asked for, and a listing that came
 * with the walk is not asked for again. Throws what kept the walk from its end.
 */
export async function discover(parts: DiscoveryParts): Promise<FoundRepository[]> {
  const { set, source, signal } = parts;
  const found = new Map<ImageName, FoundRepository>();
  for (const { value } of set.names) {
    const repository = parseRepository(value);
    const list = listOf(source, repository, signal);
    found.set(value, { name: value, registry: source, repository, list, namedTags: undefined });
  }
  for (const extra of extrasOf(set).values()) {
    const registry = parts.registryAt(extra.host);
    const list = listOf(registry, extra.repository, signal);
    const namedTags = extra.listed ? undefined : [...extra.tags];
    found.set(extra.name, { name: extra.name, registry, repository: extra.repository, list, namedTags });
  }
  if (set.prefixes.length > 0) {
    for (const repository of await walk(parts)) {
      if (!found.has(repository.name)) found.set(repository.name, repository);
    }
  }
  return [...found.values()];
}

/** Whether the repositories below a path are searched: in namespaces that were asked for or that the set spells out. */
function isSearched(parts: DiscoveryParts, path: string): boolean {
  if (!couldWantBelow(parts.set, path)) return false;
  const [top] = path.split('/');
  const isAdded = parts.namespaces.some(
    (namespace) =>
      namespace === '*' ||
      namespace === top ||
      namespace === path ||
      path.startsWith(`${namespace}/`) ||
      namespace.startsWith(`${path}/`),
  );
  return isAdded || parts.set.prefixes.some(({ value }) => value.startsWith(`${path}/`));
}

async function walk(parts: DiscoveryParts): Promise<FoundRepository[]> {
  const { set, source, signal } = parts;
  const root = await source.listTags(undefined, signal);
  const found: FoundRepository[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    const isWanted = wantsRepository(set, path);
    const goesDeeper = depth < DEPTH_LIMIT && isSearched(parts, path);
    if (!isWanted && !goesDeeper) return;
    const repository = parseRepository(path);
    const listing = await listOf(source, repository, signal)();
    const holdsImages = listing !== undefined && (listing.tags.length > 0 || listing.manifests.size > 0);
    if (isWanted && holdsImages) {
      found.push({
        name: path,
        registry: source,
        repository,
        list: async () => listing,
        namedTags: undefined,
      });
    }
    if (!goesDeeper) return;
    const children = listing?.children ?? [];
    await Promise.all(children.map((child) => visit(`${path}/${child}`, depth + 1)));
  };
  await Promise.all(root.children.map((child) => visit(child, 1)));
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
