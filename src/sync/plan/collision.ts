import type { ImageName } from '../../config/image-name.ts';
import type { ImageSet } from '../../config/image-set.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { parseRepository, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { dashedName } from './naming.ts';

/** A source repository that wants to fill tags of a destination repository. */
export interface Claim {
  /** The source's name in the image set, by which a patch matches it. */
  readonly name: ImageName;
  readonly registry: Pick<Registry, 'host'>;
  readonly repository: Repository;
  /** The wanted tags with their digests at the source, undefined where these are not known yet. */
  readonly tags: ReadonlyMap<Tag, Digest | undefined>;
}

/** A tag that several sources want to be different things. */
export interface Collision<Source extends Claim = Claim> {
  readonly tag: Tag;
  /** All that claim the tag, the one that would keep the name first. */
  readonly claimants: readonly Source[];
  /** Those whose digest has to be asked for before it is certain that the contents differ. */
  readonly undecided: readonly Source[];
  /** The entries for `patches` in the image set that give every source but the first a name of its own. */
  readonly patches: readonly { readonly match: ImageName; readonly name: Repository }[];
}

/** Who fills which tag of a destination repository, and which tags nobody may fill. */
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

/** The shortest path first: `kube-scheduler` is what people mean rather than `scheduler-plugins/kube-scheduler`. */
function byPrecedence(one: Claim, other: Claim): number {
  return depth(one) - depth(other) || (fullName(one) < fullName(other) ? -1 : 1);
}

/** The same repository can be claimed twice, by name and as an extra; then it speaks with one voice. */
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
 * Returns the patches that would give each of the claims but the first a name of its own; `destination` is the
 * repository, or the part of it below the namespace, that they meet in.
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

/** Returns who fills a tag, of those who claim it; undefined where they differ, or may. */
function fillerOf<Source extends Claim>(tag: Tag, claimants: readonly Source[]): Source | undefined {
  const [first] = claimants;
  const digests = new Set(claimants.map(({ tags }) => tags.get(tag)));
  const agreed = digests.size === 1 && !digests.has(undefined);
  return claimants.length === 1 || agreed ? first : undefined;
}

/**
 * Decides who fills each tag of a destination repository. Where sources agree about a tag's digest, the one with the
 * shortest path does; where they do not, or where a digest is not known, nobody does and the tag is a collision.
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

/** Returns the text to put into `patches` of an image set so that a collision is resolved. */
export function patchText(collision: Collision): string {
  return collision.patches
    .map(({ match, name }) => `{"match": ${JSON.stringify(match)}, "name": ${JSON.stringify(name)}}`)
    .join(', ');
}

/**
 * Returns where an image set asks for one of the sources (`host/repository:tag`) that want a name; the last one found,
 * because the first keeps the name. Undefined where they are found by a prefix that names neither.
 */
export function placeOfClaim(
  set: ImageSet,
  sourceHost: string,
  claimants: readonly string[],
): Place | undefined {
  const prefixes = set.prefixes.toSorted((one, other) => other.value.length - one.value.length);
  return claimants
    .toReversed()
    .map((claimant) => claimant.replace(/:[^:/]*$/, ''))
    .map((full) => (full.startsWith(`${sourceHost}/`) ? full.slice(sourceHost.length + 1) : full))
    .map(
      (name) =>
        set.names.find(({ value }) => value === name)?.place ??
        set.clusterImages.get(name)?.places[0] ??
        set.extraImages.get(name)?.places[0] ??
        prefixes.find(({ value }) => name.startsWith(value))?.place,
    )
    .find((place) => place !== undefined);
}
