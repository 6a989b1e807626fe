import type { ImageSet } from '../../config/image-set.ts';
import type { ImageName } from '../../config/image-set-name.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { isAnswerFailure } from '../../lib/http/http-failure.ts';
import { isRepository, parseRepository, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isLoginRefused, isNotFound, mayBeDeniedToUs } from '../../registry/registry-failure.ts';
import type { TagList } from '../../registry/tag-list.ts';
import { couldWantBelow, wantsRepository } from '../select/selection.ts';
import { holdsImages, type SourceLister, sourceLister } from './source-listing.ts';

/** A source repository that the image set wants. */
export interface FoundRepository {
  readonly name: ImageName;
  readonly registry: Registry;
  readonly repository: Repository;
  /** Returns its tags; undefined if it does not exist. They may be known from the search already. */
  readonly list: () => Promise<TagList | undefined>;
  /** The tags that the set names, if it wants no others. Then nothing has to be listed. */
  readonly namedTags: readonly Tag[] | undefined;
}

/** What discovery needs. */
interface DiscoveryParts {
  readonly set: ImageSet;
  readonly source: Registry;
  /** Returns the registry of an extra. */
  readonly registryAt: (host: Registry['host']) => Registry;
  /** `--addition-ns`: namespaces in which prefixes are searched for. `*` means all. */
  readonly namespaces: readonly string[];
  /** Called with each name that a prefix finds and `exclude` leaves out. */
  readonly onExcluded?: ((name: Repository) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Deeper than any namespace of registry.k8s.io. */
const DEPTH_LIMIT = 8;
/** About ten times the repositories of registry.k8s.io. A malicious source must not make a search endless. */
const REPOSITORIES_LIMIT = 20_000;

function tooMany(source: Registry): Failure<'SOURCE_UNREASONABLE'> {
  return new Failure({
    code: 'SOURCE_UNREASONABLE',
    about: source.host,
    message: `it lists more than ${REPOSITORIES_LIMIT} repositories that match the prefixes`,
    hint: 'write longer prefixes, or put the images by their full names into "names"',
  });
}

function listOf(list: SourceLister, repository: Repository, signal: AbortSignal): FoundRepository['list'] {
  let listing: Promise<TagList | undefined> | undefined;
  return () => {
    listing ??= list(repository, signal).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    return listing;
  };
}

/**
 * Returns the repositories that an image set wants. Those of releases, names and extras need no request. Prefixes are
 * searched for in the `child` lists of Google's extension, or in the catalogue if the registry does not have them. Only
 * paths that could be wanted are requested, and no listing twice. Throws what ended the search early, and
 * `SEARCH_UNSUPPORTED` or `SOURCE_UNREASONABLE`.
 */
export async function discover(parts: DiscoveryParts): Promise<FoundRepository[]> {
  const { set, source, registryAt, signal } = parts;
  const lister = sourceLister(source, registryAt);
  const found = new Map<ImageName, FoundRepository>();
  for (const name of new Set([...set.clusterImages.keys(), ...set.names.map(({ value }) => value)])) {
    const repository = parseRepository(name);
    const list = listOf(lister, repository, signal);
    found.set(name, { name, registry: source, repository, list, namedTags: undefined });
  }
  for (const extra of set.extraImages.values()) {
    const registry = registryAt(extra.host);
    const list = listOf(sourceLister(registry, registryAt), extra.repository, signal);
    const namedTags = extra.isListed ? undefined : [...extra.tags];
    found.set(extra.name, { name: extra.name, registry, repository: extra.repository, list, namedTags });
  }
  if (set.prefixes.length > 0) {
    for (const repository of await search(parts, lister)) {
      if (!found.has(repository.name)) found.set(repository.name, repository);
    }
  }
  return [...found.values()];
}

function openly(set: ImageSet): ImageSet {
  return { ...set, exclude: [] };
}

/** Returns whether `exclude` alone keeps a repository away that a prefix wants. */
function isLeftOut(set: ImageSet, name: string): boolean {
  return !wantsRepository(set, name) && wantsRepository(openly(set), name);
}

/** Returns whether to search below a path: if it is in a namespace of `--addition-ns` or at the start of a prefix. */
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

/** Returns the repositories that match the prefixes, from the `child` lists of the source or from its catalogue. */
async function search(parts: DiscoveryParts, lister: SourceLister): Promise<FoundRepository[]> {
  const { source, set, signal } = parts;
  const root = await lister(undefined, signal).catch((error: unknown) => {
    if (isAnswerFailure(error) && !error.transient) return undefined;
    throw error;
  });
  const found =
    root === undefined || root.children.length === 0
      ? await readCatalogue(parts, lister)
      : await walk(parts, lister, root.children);
  const [prefix] = set.prefixes;
  if (found === undefined) {
    throw new Failure({
      code: 'SEARCH_UNSUPPORTED',
      about: source.host,
      message: `it does not list its repositories, so "${prefix?.value ?? ''}" cannot be searched for`,
      hint: 'put the images by their full names into "names" instead of "prefixes"',
    });
  }
  signal.throwIfAborted();
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

async function readCatalogue(
  parts: DiscoveryParts,
  lister: SourceLister,
): Promise<FoundRepository[] | undefined> {
  const { source, set, signal } = parts;
  const repositories = await source.listRepositories(signal).catch(async (error: unknown) => {
    throw await explainRefusal(source, set, error);
  });
  const wanted = repositories?.filter((repository) => {
    if (wantsRepository(set, repository)) return isSearchedFor(parts, repository);
    if (isLeftOut(set, repository) && isSearchedFor({ ...parts, set: openly(set) }, repository))
      parts.onExcluded?.(repository);
    return false;
  });
  if ((wanted?.length ?? 0) > REPOSITORIES_LIMIT) throw tooMany(source);
  return wanted?.map((repository) => {
    const list = listOf(lister, repository, signal);
    return { name: repository, registry: source, repository, list, namedTags: undefined };
  });
}

/**
 * Returns why a registry does not list its repositories to us, although it may list them to others. If it refused our
 * login, that failure is returned unchanged, because the login gives access to nothing there. Without a login, the hint
 * is that images which need none can be mirrored by their names.
 */
async function explainRefusal(
  source: Registry,
  { prefixes: [prefix] }: ImageSet,
  error: unknown,
): Promise<unknown> {
  if (!mayBeDeniedToUs(error) || isLoginRefused(error)) return error;
  const { username } = await source.aboutLogin();
  const code = failureCode(error);
  const said = error instanceof Failure ? error : undefined;
  const hint =
    username === undefined && said?.hint !== undefined
      ? `${said.hint}; images that need no login there can be mirrored by their full names in "names" instead of "prefixes"`
      : 'log in with docker login as an account that may list them, or put the images by their full names into "names" instead of "prefixes"';
  return new Failure({
    code,
    about: source.host,
    message: `it refuses to list its repositories, so "${prefix?.value ?? ''}" cannot be searched for: ${said?.message ?? code}`,
    hint,
    cause: error,
  });
}

/** A catalogue lists all namespaces. Only those are used that a search of `child` lists would have reached. */
function isSearchedFor(parts: DiscoveryParts, repository: Repository): boolean {
  const slash = repository.lastIndexOf('/');
  return slash < 0 || isSearched(parts, repository.slice(0, slash));
}

async function walk(
  parts: DiscoveryParts,
  lister: SourceLister,
  roots: readonly string[],
): Promise<FoundRepository[]> {
  const { set, source } = parts;
  const end = new AbortController();
  const signal = AbortSignal.any([parts.signal, end.signal]);
  const found: FoundRepository[] = [];
  let asked = 0;
  const visit = async (path: string, depth: number): Promise<void> => {
    const isWanted = wantsRepository(set, path);
    const goesDeeper = depth < DEPTH_LIMIT && isSearched(parts, path);
    // No registry accepts such a name, so this listing is broken or malicious.
    if (!isRepository(path)) return;
    if (isLeftOut(set, path)) parts.onExcluded?.(path);
    if (!isWanted && !goesDeeper) return;
    asked += 1;
    if (asked > REPOSITORIES_LIMIT) end.abort(tooMany(source));
    signal.throwIfAborted();
    const repository = path;
    const list = listOf(lister, repository, signal);
    const listing = await list().catch(() => {
      signal.throwIfAborted();
      // It fails again when the repository is planned, which reports it. The search continues.
      found.push({ name: path, registry: source, repository, list, namedTags: undefined });
      return undefined;
    });
    if (isWanted && listing !== undefined && holdsImages(listing)) {
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
  await Promise.all(roots.map((root) => visit(root, 1)));
  return found;
}
