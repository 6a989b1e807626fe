import type { ImageSet } from '../../config/image-set.ts';
import type { ImageName } from '../../config/image-set-name.ts';
import { dashedName } from '../../config/mirror-naming.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { parseRepository, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';

/** A source repository whose images are to become tags of a destination repository. */
export interface Claim {
  /** The name in the image set, which a patch can match. */
  readonly name: ImageName;
  readonly registry: Pick<Registry, 'host'>;
  readonly repository: Repository;
  /** The selected tags with their digests at the source; undefined if a digest is not known yet. */
  readonly tags: ReadonlyMap<Tag, Digest | undefined>;
}

/** A tag for which several sources have different images. */
export interface Collision<Source extends Claim = Claim> {
  readonly tag: Tag;
  /** All sources that claim the tag. The first one keeps the name. */
  readonly claimants: readonly Source[];
  /** Sources whose digest is not known. Until it is, the images may turn out to be the same. */
  readonly undecided: readonly Source[];
  /** Entries for `patches` in the image set that give each source but the first a name of its own. */
  readonly patches: readonly { readonly match: ImageName; readonly name: Repository }[];
}

/** The source of each tag of a destination repository, and the tags without one because sources collide. */
export interface Settlement<Source extends Claim> {
  readonly chosen: ReadonlyMap<Tag, Source>;
  readonly collisions: readonly Collision<Source>[];
}

function depth({ repository }: Claim): number {
  return repository.split('/').length;
}

function fullName({ registry, repository }: Claim): string {
  return `${registry.host}/${repository}`;
}

/** The shortest path comes first: people mean `kube-scheduler`, not `scheduler-plugins/kube-scheduler`. */
function byPrecedence(one: Claim, other: Claim): number {
  return depth(one) - depth(other) || (fullName(one) < fullName(other) ? -1 : 1);
}

/** A repository can be claimed twice, by name and as an extra. The claims become one. */
function joinBySource<Source extends Claim>(claims: readonly Source[]): Source[] {
  const joined = new Map<string, Source>();
  for (const claim of claims) {
    const earlier = joined.get(fullName(claim));
    const tags = new Map(claim.tags);
    for (const [tag, digest] of earlier?.tags ?? []) tags.set(tag, digest ?? tags.get(tag));
    joined.set(fullName(claim), { ...(earlier ?? claim), tags });
  }
  return [...joined.values()].toSorted(byPrecedence);
}

function newName({ registry, repository }: Claim, taken: ReadonlySet<string>): Repository {
  const plain = dashedName(repository);
  if (!taken.has(plain)) return parseRepository(plain);
  const host = registry.host.replace(/[^a-z0-9.-]+/g, '-').replace(/^-+/, '');
  return parseRepository(`${host}-${plain}`);
}

/**
 * Returns patches that give each claim but the first a name of its own. `destination` is the repository that they
 * share, with or without its namespace.
 */
function resolvingPatches(destination: Repository, claims: readonly Claim[]): Collision['patches'] {
  const taken = new Set<string>([destination, destination.slice(destination.lastIndexOf('/') + 1)]);
  return claims.slice(1).map((claim) => {
    const name = newName(claim, taken);
    taken.add(name);
    return { match: claim.name, name };
  });
}

function collisionOf<Source extends Claim>(
  destination: Repository,
  tag: Tag,
  claimants: readonly Source[],
): Collision<Source> {
  const undecided = claimants.filter(({ tags }) => tags.get(tag) === undefined);
  return { tag, claimants, undecided, patches: resolvingPatches(destination, claimants) };
}

/** Returns the source of a tag among those that claim it; undefined if their images differ or may differ. */
function fillerOf<Source extends Claim>(tag: Tag, claimants: readonly Source[]): Source | undefined {
  const [first] = claimants;
  const digests = new Set(claimants.map(({ tags }) => tags.get(tag)));
  const agreed = digests.size === 1 && !digests.has(undefined);
  return claimants.length === 1 || agreed ? first : undefined;
}

/**
 * Decides which source each tag of a destination repository comes from. If sources agree about the digest of a tag, it
 * is the one with the shortest path. If they do not, or if a digest is not known, the tag is a collision.
 */
export function settleClaims<Source extends Claim>(
  destination: Repository,
  claims: readonly Source[],
): Settlement<Source> {
  const claimants = new Map<Tag, Source[]>();
  for (const claim of joinBySource(claims)) {
    for (const tag of claim.tags.keys()) claimants.set(tag, [...(claimants.get(tag) ?? []), claim]);
  }
  const chosen = new Map<Tag, Source>();
  const collisions: Collision<Source>[] = [];
  for (const [tag, ones] of claimants) {
    const filler = fillerOf(tag, ones);
    if (filler === undefined) collisions.push(collisionOf(destination, tag, ones));
    else chosen.set(tag, filler);
  }
  return { chosen, collisions };
}

/** Returns the JSON that resolves a collision when it is added to `patches` of the image set. */
export function patchText(collision: Collision): string {
  return collision.patches
    .map(({ match, name }) => `{"match": ${JSON.stringify(match)}, "name": ${JSON.stringify(name)}}`)
    .join(', ');
}

/**
 * Returns the place in an image set that wants one of some colliding sources (`host/repository:tag`). It is that of the
 * last source that has one, because the first source keeps its name. Undefined if none has one.
 */
export function placeOfClaim(
  set: ImageSet,
  sourceHost: string,
  claimants: readonly string[],
): Place | undefined {
  const prefixes = set.prefixes.toSorted((one, other) => other.value.length - one.value.length);
  return claimants
    .toReversed()
    .map((full) => (full.startsWith(`${sourceHost}/`) ? full.slice(sourceHost.length + 1) : full))
    .map((claimant) => {
      const name = claimant.replace(/:[^:/]*$/, '');
      const extra = set.extraImages.get(name);
      const ofTag = [...(extra?.tagPlaces ?? [])].find(([tag]) => claimant === `${name}:${tag}`);
      return (
        set.names.find(({ value }) => value === name)?.place ??
        set.clusterImages.get(name)?.places[0] ??
        ofTag?.[1] ??
        extra?.places[0] ??
        prefixes.find(({ value }) => name.startsWith(value))?.place
      );
    })
    .find((place) => place !== undefined);
}
