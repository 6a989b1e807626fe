import type { ImageName } from '../../config/image-name.ts';
import type { ImageSet } from '../../config/image-set.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { parseRepository, type Repository, type Tag } from '../../registry/oci/reference.ts';
import { extrasOf } from '../select/extras.ts';
import { dashedName, type SourceRepository } from './naming.ts';

/** What one source wants to be at a destination repository. */
export interface Claim {
  /** The source's name in the image set, by which a patch matches it. */
  readonly name: ImageName;
  readonly source: SourceRepository;
  /** The wanted tags with their digests at the source, undefined where these are not known yet. */
  readonly tags: ReadonlyMap<Tag, Digest | undefined>;
}

/** One claim's say about a tag. */
export interface Claimant {
  readonly claim: Claim;
  readonly digest: Digest | undefined;
}

/** A tag that several sources want to be different things. */
export interface Collision {
  readonly tag: Tag;
  /** All that claim the tag, the one that would keep the name first. */
  readonly claimants: readonly Claimant[];
  /** Those whose digest has to be asked for before it is certain that the contents differ. */
  readonly undecided: readonly Claim[];
  /** The entries for `patches` in the image set that give every source but the first a name of its own. */
  readonly patches: readonly { readonly match: ImageName; readonly name: Repository }[];
}

/** Who fills which tag of a destination repository, and which tags nobody may fill. */
export interface Settlement {
  readonly chosen: ReadonlyMap<Tag, Claim>;
  readonly collisions: readonly Collision[];
}

function depth(claim: Claim): number {
  return claim.source.repository.split('/').length;
}

function fullName({ source }: Claim): string {
  return `${source.host}/${source.repository}`;
}

/** The shortest path first: `kube-scheduler` is what people mean rather than `scheduler-plugins/kube-scheduler`. */
function byPrecedence(one: Claim, other: Claim): number {
  return depth(one) - depth(other) || (fullName(one) < fullName(other) ? -1 : 1);
}

/** The same repository can be claimed twice, by name and as an extra; then it speaks with one voice. */
function joinBySource(claims: readonly Claim[]): Claim[] {
  const joined = new Map<string, Claim>();
  for (const claim of claims) {
    const earlier = joined.get(fullName(claim));
    const tags = new Map(claim.tags);
    for (const [tag, digest] of earlier?.tags ?? []) tags.set(tag, digest ?? tags.get(tag));
    joined.set(fullName(claim), { ...(earlier ?? claim), tags });
  }
  return [...joined.values()].toSorted(byPrecedence);
}

function newName(claim: Claim, taken: ReadonlySet<string>): Repository {
  const plain = dashedName(claim.source.repository);
  if (!taken.has(plain)) return parseRepository(plain);
  const host = claim.source.host.replace(/[^a-z0-9.-]+/g, '-').replace(/^-+/, '');
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

function settleTag(destination: Repository, tag: Tag, claimants: readonly Claimant[]): Claim | Collision {
  const [first] = claimants;
  const agreed = new Set(claimants.map(({ digest }) => digest)).size === 1 && first?.digest !== undefined;
  if (first !== undefined && (claimants.length === 1 || agreed)) return first.claim;
  return {
    tag,
    claimants,
    undecided: claimants.filter(({ digest }) => digest === undefined).map(({ claim }) => claim),
    patches: resolvingPatches(
      destination,
      claimants.map(({ claim }) => claim),
    ),
  };
}

/**
 * Decides who fills each tag of a destination repository. Where sources agree about a tag's digest, the one with the
 * shortest path does; where they do not, or where a digest is not known, nobody does and the tag is a collision.
 */
export function settleClaims(destination: Repository, claims: readonly Claim[]): Settlement {
  const claimants = new Map<Tag, Claimant[]>();
  for (const claim of joinBySource(claims)) {
    for (const [tag, digest] of claim.tags) {
      claimants.set(tag, [...(claimants.get(tag) ?? []), { claim, digest }]);
    }
  }
  const chosen = new Map<Tag, Claim>();
  const collisions: Collision[] = [];
  for (const [tag, ones] of claimants) {
    const settled = settleTag(destination, tag, ones);
    if ('undecided' in settled) collisions.push(settled);
    else chosen.set(tag, settled);
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
  const extras = extrasOf(set);
  return claimants
    .toReversed()
    .map((claimant) => claimant.replace(/:[^:/]*$/, ''))
    .map((full) => (full.startsWith(`${sourceHost}/`) ? full.slice(sourceHost.length + 1) : full))
    .map(
      (name) =>
        set.names.find(({ value }) => value === name)?.place ??
        set.clusterImages.get(name)?.places[0] ??
        extras.get(name)?.places[0] ??
        prefixes.find(({ value }) => name.startsWith(value))?.place,
    )
    .find((place) => place !== undefined);
}
