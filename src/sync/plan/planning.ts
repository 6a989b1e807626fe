import type { ImageName } from '../../config/image-name.ts';
import type { ImageSet } from '../../config/image-set.ts';
import { failureCode } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { TagList } from '../../registry/tag-list.ts';
import { type OfferedTag, platformsFor, selectTags } from '../select/selection.ts';
import { isSignatureTag, signatureTagsOf } from '../select/signature-tag.ts';
import type { SyncSettings } from '../settings.ts';
import type { RecordedFailure } from '../state/failure-rows.ts';
import type { RecordedImage } from '../state/image-rows.ts';
import { type Claim, type Collision, type Settlement, settleClaims } from './collision.ts';
import { contentOptions } from './content-options.ts';
import { type Decision, type DestinationListing, decide } from './decision.ts';
import type { FoundRepository } from './discovery.ts';
import type { RepositoryGroup } from './naming.ts';
import type { SourceVerification } from './verification.ts';

/** One tag of a destination repository, where it comes from and what is to be done about it. */
export interface PlannedImage {
  readonly name: ImageName;
  readonly source: { readonly registry: Registry; readonly repository: Repository; readonly tag: Tag };
  readonly target: { readonly repository: Repository; readonly tag: Tag };
  /** As the source's listing tells it. */
  readonly sourceDigest: Digest | undefined;
  readonly platforms: readonly Platform[];
  readonly recorded: RecordedImage | undefined;
  readonly decision: Decision;
  /** The lower, the sooner: its place among its repository's tags, the newest first; what failed last time comes last. */
  readonly rank: number;
  /** Signature tags that the source lists, from which those of the image's own parts are taken. */
  readonly signatureTags: readonly Tag[];
}

/** What planning one destination repository needs. */
export interface PlanningParts {
  readonly set: ImageSet;
  readonly settings: SyncSettings;
  readonly target: Registry;
  readonly remembered: {
    readonly images: (repository: Repository) => ReadonlyMap<Tag, RecordedImage>;
    readonly failures: (repository: Repository) => ReadonlyMap<Tag, RecordedFailure>;
  };
  /** What asks for signatures, where they are wanted. */
  readonly verification: SourceVerification | undefined;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** A source repository with its listing, and the tags that are wanted of it. */
export interface ListedRepository extends FoundRepository, Claim {
  readonly registry: Registry;
  readonly listing: TagList;
  /** Empty unless signatures are copied. */
  readonly signatureTags: readonly Tag[];
}

/** What is to be done in one destination repository. */
export interface RepositoryPlan {
  readonly repository: Repository;
  readonly listing: DestinationListing;
  readonly images: readonly PlannedImage[];
  readonly collisions: readonly Collision[];
  /** The sources that exist. */
  readonly members: readonly ListedRepository[];
  /** Plans one more tag of the source that a planned image comes from. */
  readonly planTag: (image: PlannedImage, tag: Tag) => PlannedImage;
}

/** Failed ones come behind all others, however many tags a repository has. */
const FAILED_RANK = 1_000_000;

/** Plans one destination repository: asks both sides what they list, settles who fills which tag, and decides. */
export async function planRepository(group: RepositoryGroup, parts: PlanningParts): Promise<RepositoryPlan> {
  const { repository } = group;
  const [listed, listing] = await Promise.all([
    Promise.all(group.members.map((found) => listMember(found, parts))),
    listDestination(repository, parts),
  ]);
  const members = listed.filter((member) => member !== undefined);
  const { chosen, collisions } = await settle(repository, members, parts.signal);
  const planner = new TagPlanner(repository, listing, parts);
  // The newest of every repository go first, then the second newest, and so on.
  const ranks = new Map(members.flatMap(({ tags }) => [...tags.keys()].map((tag, rank) => [tag, rank])));
  return {
    repository,
    listing,
    images: [...chosen].map(([tag, member]) => planner.plan(member, tag, ranks.get(tag) ?? 0)),
    collisions,
    members,
    planTag: (image, tag) => {
      const member = members.find(({ name }) => name === image.name);
      if (member === undefined) throw new Error(`${image.name} was not planned here`);
      return planner.plan(member, tag, image.rank);
    },
  };
}

/** Decides about the tags of one destination repository with what is known of it. */
class TagPlanner {
  readonly #repository: Repository;
  readonly #listing: DestinationListing;
  readonly #parts: PlanningParts;
  readonly #recorded: ReadonlyMap<Tag, RecordedImage>;
  readonly #failed: ReadonlyMap<Tag, RecordedFailure>;

  constructor(repository: Repository, listing: DestinationListing, parts: PlanningParts) {
    this.#repository = repository;
    this.#listing = listing;
    this.#parts = parts;
    this.#recorded = parts.remembered.images(repository);
    this.#failed = parts.remembered.failures(repository);
  }

  plan(member: ListedRepository, tag: Tag, rank: number): PlannedImage {
    const { set, settings, verification, now } = this.#parts;
    const repository = this.#repository;
    const { name, signatureTags } = member;
    const platforms = isSignatureTag(tag) ? [] : (platformsFor(set, name) ?? settings.platforms);
    const sourceDigest = member.listing.manifests.get(tag)?.digest;
    const recorded = this.#recorded.get(tag);
    const source = { registry: member.registry, repository: member.repository, tag };
    return {
      name,
      source,
      target: { repository, tag },
      sourceDigest,
      platforms,
      recorded,
      decision: decide({
        repository,
        tag,
        sourceDigest,
        listing: this.#listing,
        recorded,
        options: contentOptions(platforms),
        isSignatureDue: verification?.isDue({ source, recorded }, sourceDigest) ?? false,
        verify: settings.verify,
        now,
      }),
      rank: this.#failed.has(tag) ? FAILED_RANK + rank : rank,
      signatureTags,
    };
  }
}

/** Returns the signature tags of an image's digests that the source offers. */
export function signaturesOf(image: PlannedImage, digests: readonly Digest[]): Tag[] {
  if (image.signatureTags.length === 0) return [];
  return [...new Set(digests.flatMap((digest) => signatureTagsOf(digest, image.signatureTags)))];
}

async function listMember(
  found: FoundRepository,
  { set, settings }: PlanningParts,
): Promise<ListedRepository | undefined> {
  const copiesSignatures = settings.signatures === 'copy';
  const listing = await listSource(found, copiesSignatures);
  if (listing === undefined) return undefined;
  const names = new Set([...(found.namedTags ?? []), ...listing.tags, ...listing.manifests.keys()]);
  const offered = [...names].map(
    (tag): OfferedTag => ({ tag, uploaded: listing.manifests.get(tag)?.uploaded }),
  );
  const wanted = selectTags(set, found.name, offered);
  const tags = new Map(wanted.map((tag) => [tag, listing.manifests.get(tag)?.digest]));
  const signatureTags = copiesSignatures ? listing.tags.filter(isSignatureTag) : [];
  return { ...found, listing, tags, signatureTags };
}

/** Where tags are named one by one, a list is only needed to find their signatures, and may be missing. */
async function listSource(found: FoundRepository, copiesSignatures: boolean): Promise<TagList | undefined> {
  if (found.namedTags === undefined) return found.list();
  const nothing: TagList = { tags: [], children: [], manifests: new Map() };
  if (!copiesSignatures) return nothing;
  return (await found.list().catch(() => undefined)) ?? nothing;
}

async function listDestination(repository: Repository, parts: PlanningParts): Promise<DestinationListing> {
  try {
    const { tags } = await parts.target.listTags(repository, parts.signal);
    return { kind: 'tags', tags: new Set(tags) };
  } catch (error) {
    const code = failureCode(error);
    const isKnownToHold = parts.remembered.images(repository).size > 0;
    if (code === 'NOT_FOUND' && !isKnownToHold) return { kind: 'absent' };
    const isRefused = ['NOT_FOUND', 'DENIED', 'UNAUTHORIZED'].includes(code);
    if (isRefused) return { kind: 'unknown' };
    throw error;
  }
}

/** Settles claims; where sources may differ because a digest is not known, it is asked for. */
async function settle(
  destination: Repository,
  members: readonly ListedRepository[],
  signal: AbortSignal,
): Promise<Settlement<ListedRepository>> {
  const first = settleClaims(destination, members);
  const open = first.collisions.flatMap(({ tag, undecided }) => undecided.map((claim) => ({ tag, claim })));
  if (open.length === 0) return first;
  const answers = await Promise.all(
    open.map(async ({ tag, claim: { name, registry, repository } }) => {
      return { name, tag, digest: await registry.findManifest(repository, tag, signal) };
    }),
  );
  const complete = members.map((member) => {
    const tags = new Map(member.tags);
    for (const { name, tag, digest } of answers) {
      if (name === member.name && digest !== undefined) tags.set(tag, digest);
    }
    return { ...member, tags };
  });
  return settleClaims(destination, complete);
}
