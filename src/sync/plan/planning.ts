import { setImmediate as otherWork } from 'node:timers/promises';
import type { ImageSet } from '../../config/image-set.ts';
import type { ImageName } from '../../config/image-set-name.ts';
import { type MovedTagsRule, movedTagsRule } from '../../config/moved-tags.ts';
import type { PinnedDigest } from '../../config/named-image.ts';
import type { UnclearCut } from '../../config/tag-filter.ts';
import { type Duration, milliseconds } from '../../lib/duration.ts';
import { failureCode } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isRefusedQuestion } from '../../registry/registry-failure.ts';
import type { TagList } from '../../registry/tag-list.ts';
import {
  type Emptied,
  minimumAgeFor,
  type OfferedTag,
  pinFor,
  platformsFor,
  selectMature,
} from '../select/selection.ts';
import { isSignatureTag, signatureTagsOf } from '../select/signature-tag.ts';
import type { SyncSettings } from '../settings.ts';
import type { RecordedFailure } from '../state/failure-rows.ts';
import type { RecordedImage } from '../state/image-rows.ts';
import { type Claim, type Collision, type Settlement, settleClaims } from './collision.ts';
import { type Decision, type DestinationListing, decide, type Extent, extentOf } from './decision.ts';
import type { FoundRepository } from './discovery.ts';
import type { RepositoryGroup } from './naming.ts';
import { contentOptions, hasReferrersIn } from './recorded-options.ts';
import { holdsImages } from './source-listing.ts';
import type { SourceVerification } from './source-verification.ts';
import type { TagMaturity } from './tag-maturity.ts';

/** One tag of a destination repository: its source, and what to do about it. */
export interface PlannedImage {
  readonly name: ImageName;
  readonly source: { readonly registry: Registry; readonly repository: Repository; readonly tag: Tag };
  readonly target: { readonly repository: Repository; readonly tag: Tag };
  /** From the listing of the source, or the one that the tag must have. */
  readonly sourceDigest: Digest | undefined;
  /**
   * The digest that was given with its tag, or in place of one. The image is mirrored with exactly this digest, or not
   * at all.
   */
  readonly pin?: PinnedDigest | undefined;
  /** When it was uploaded to the source, if its listing contains that. */
  readonly uploaded: Date | undefined;
  /** How long its tag must have had this image before it is copied; 0 means no time. */
  readonly minimumAge: Duration;
  /** What to do if the source moved its tag. */
  readonly ifMoved: MovedTagsRule;
  readonly platforms: readonly Platform[];
  readonly recorded: RecordedImage | undefined;
  readonly decision: Decision;
  /** How much of it is checked at the destination if its tag is right there. */
  readonly extent: Extent;
  /** The lowest comes first. New tags of a repository have low ranks, those that failed last time the highest. */
  readonly rank: number;
  /**
   * Whether to ask the referrers API of the source for its signatures, if a check finds the image at the destination.
   * If signatures are copied, those of a copied image are always requested.
   */
  readonly referrers: 'skip' | 'if-copied' | 'due';
  /** All signature tags of the source repository; empty unless signatures are copied. */
  readonly signatureTags: readonly Tag[];
}

/** What planning needs. */
export interface PlanningParts {
  readonly set: ImageSet;
  readonly settings: SyncSettings;
  readonly target: Registry;
  readonly remembered: {
    readonly images: (repository: Repository, tags: readonly Tag[]) => ReadonlyMap<Tag, RecordedImage>;
    readonly holdsImages: (repository: Repository) => boolean;
    readonly failures: (repository: Repository) => ReadonlyMap<Tag, RecordedFailure>;
  };
  /** Verifies signatures; undefined if that is off. */
  readonly verification: SourceVerification | undefined;
  /** Decides which tags are old enough. */
  readonly maturity: TagMaturity;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** A source repository with its listing and its wanted tags. */
export interface ListedRepository extends FoundRepository, Claim {
  readonly registry: Registry;
  readonly listing: TagList;
  /** Where `latest` cut the list of tags, if it is unknown which of the two tags at the cut is newer. */
  readonly unclearCut: UnclearCut | undefined;
  /** Why no tag is wanted, if the source has some. */
  readonly emptied: Emptied | undefined;
  /** Empty unless signatures are copied. */
  readonly signatureTags: readonly Tag[];
}

/** What to do in one destination repository. */
export interface RepositoryPlan {
  readonly repository: Repository;
  readonly listing: DestinationListing;
  readonly images: readonly PlannedImage[];
  readonly collisions: readonly Collision[];
  /** Its sources, without those that do not exist or have no images any more. */
  readonly members: readonly ListedRepository[];
  /** Plans another tag from the source of a planned image. */
  readonly planTag: (image: PlannedImage, tag: Tag) => PlannedImage;
}

/** More than any repository has tags, so that tags that failed last time come after all others. */
const FAILED_RANK = 1_000_000;

/** Planning this many takes some 50 ms. Timers and signals are handled in between. */
const TAGS_AT_ONCE = 1000;

/** Plans one destination repository: lists both sides, settles the source of each tag, and decides what to do. */
export async function planRepository(group: RepositoryGroup, parts: PlanningParts): Promise<RepositoryPlan> {
  const { repository } = group;
  const [listed, listing] = await Promise.all([
    Promise.all(group.members.map((found) => listMember(found, repository, parts))),
    listDestination(repository, parts),
  ]);
  const members = listed.filter((member) => member !== undefined);
  const { chosen, collisions } = await settle(repository, members, parts.signal);
  const planner = new TagPlanner(repository, listing, parts);
  // The newest tag of every repository comes first, then the second newest, and so on.
  const ranks = new Map(members.flatMap(({ tags }) => [...tags.keys()].map((tag, rank) => [tag, rank])));
  const images: PlannedImage[] = [];
  const tags = [...chosen.keys()];
  for (let from = 0; from < tags.length; from += TAGS_AT_ONCE) {
    if (from > 0) await otherWork();
    const some = tags.slice(from, from + TAGS_AT_ONCE);
    const recorded = parts.remembered.images(repository, some);
    for (const tag of some) {
      const member = chosen.get(tag);
      if (member !== undefined)
        images.push(planner.plan(member, tag, ranks.get(tag) ?? 0, recorded.get(tag)));
    }
  }
  return {
    repository,
    listing,
    images,
    collisions,
    members,
    planTag: (image, tag) => {
      const member = members.find(({ name }) => name === image.name);
      if (member === undefined) throw new Error(`${image.name} was not planned here`);
      const recorded = parts.remembered.images(repository, [tag]).get(tag);
      return planner.plan(member, tag, image.rank, recorded);
    },
  };
}

/**
 * The rule for a tag that did not move. Reading its rule in the image set would only cost time: there may be a hundred
 * thousand tags.
 */
const UNMOVED: MovedTagsRule = { mode: 'copy', isFixed: false };

/** Plans single tags of one destination repository. */
class TagPlanner {
  readonly #repository: Repository;
  readonly #listing: DestinationListing;
  readonly #parts: PlanningParts;
  readonly #failed: ReadonlyMap<Tag, RecordedFailure>;

  constructor(repository: Repository, listing: DestinationListing, parts: PlanningParts) {
    this.#repository = repository;
    this.#listing = listing;
    this.#parts = parts;
    this.#failed = parts.remembered.failures(repository);
  }

  plan(member: ListedRepository, tag: Tag, rank: number, recorded: RecordedImage | undefined): PlannedImage {
    const { set, settings, verification, now } = this.#parts;
    const repository = this.#repository;
    const { name, signatureTags } = member;
    const pin = pinFor(set, name, tag);
    // A choice of platforms creates another index with another digest, so it does not apply to these.
    const isWhole = isSignatureTag(tag) || pin !== undefined;
    const platforms = isWhole ? [] : (platformsFor(set, name) ?? settings.platforms);
    const { digest: listed, uploaded } = member.listing.manifests.get(tag) ?? {};
    const sourceDigest = pin?.digest ?? listed;
    const source = { registry: member.registry, repository: member.repository, tag };
    const { verify } = settings;
    const isUnmoved = recorded !== undefined && recorded.sourceDigest === sourceDigest;
    const from = { host: member.registry.host, repository: member.repository, tag };
    const ifMoved =
      isUnmoved || pin !== undefined ? UNMOVED : movedTagsRule(set.movedTags, from, settings.movedTags);
    const extent = extentOf({ repository, tag, verify, now });
    return {
      name,
      source,
      target: { repository, tag },
      sourceDigest,
      pin,
      uploaded,
      // A user who gives a digest has chosen what to mirror.
      minimumAge: pin === undefined ? minimumAgeFor(set, name) : milliseconds(0),
      ifMoved,
      platforms,
      recorded,
      decision: decide({
        repository,
        tag,
        sourceDigest,
        listing: this.#listing,
        recorded,
        options: contentOptions(platforms),
        isPinned: pin !== undefined,
        keepsMoved: ifMoved.isFixed && ifMoved.mode === 'keep' && !isSignatureTag(tag),
        isSignatureDue: verification?.isDue({ source, recorded }, sourceDigest) ?? false,
        verify,
        now,
      }),
      extent,
      referrers:
        settings.signatures !== 'copy' || isSignatureTag(tag)
          ? 'skip'
          : !hasReferrersIn(recorded?.options ?? '') || extent !== 'tag'
            ? 'due'
            : 'if-copied',
      rank: this.#failed.has(tag) ? FAILED_RANK + rank : rank,
      signatureTags,
    };
  }
}

/** Returns the signature tags of some digests that the source of an image has. */
export function signaturesOf(image: PlannedImage, digests: readonly Digest[]): Tag[] {
  if (image.signatureTags.length === 0) return [];
  return [...new Set(digests.flatMap((digest) => signatureTagsOf(digest, image.signatureTags)))];
}

async function listMember(
  found: FoundRepository,
  destination: Repository,
  { set, settings, maturity, remembered }: PlanningParts,
): Promise<ListedRepository | undefined> {
  const copiesSignatures = settings.signatures === 'copy';
  const listing = await listSource(found, copiesSignatures);
  // A repository whose last tag was deleted is treated like one that was deleted itself.
  const isGone = listing !== undefined && found.namedTags === undefined && !holdsImages(listing);
  if (listing === undefined || isGone) return undefined;
  const names = new Set([...(found.namedTags ?? []), ...listing.tags, ...listing.manifests.keys()]);
  const offered = [...names].map(
    (tag): OfferedTag => ({ tag, uploaded: listing.manifests.get(tag)?.uploaded }),
  );
  // Without a list, the age of a tag is known only when its digest is requested.
  const minimumAge = found.namedTags === undefined ? minimumAgeFor(set, found.name) : milliseconds(0);
  const known = minimumAge === 0 ? undefined : remembered.images(destination, [...names]);
  const young = maturity.youngIn({ host: found.registry.host, repository: found.repository }, listing, {
    minimumAge,
    mirrored: (tag) => known?.get(tag)?.sourceDigest,
  });
  const selected = selectMature(set, found.name, { offered, young });
  const digestOf = (tag: Tag) => pinFor(set, found.name, tag)?.digest ?? listing.manifests.get(tag)?.digest;
  const tags = new Map(selected.tags.map((tag) => [tag, digestOf(tag)]));
  const signatureTags = copiesSignatures ? listing.tags.filter(isSignatureTag) : [];
  const { unclearCut, emptied } = selected;
  return { ...found, listing, tags, unclearCut, emptied, signatureTags };
}

/** If all wanted tags are named, a listing is needed only for their signatures, and may be missing. */
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
    const isKnownToHold = parts.remembered.holdsImages(repository);
    if (code === 'NOT_FOUND' && !isKnownToHold) return { kind: 'absent' };
    if (isRefusedQuestion(error) || code === 'LIST_INCOMPLETE') return { kind: 'unknown' };
    throw error;
  }
}

/** Settles the source of each tag. Requests digests that are not known if sources may collide. */
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
      return { name, tag, digest: (await registry.findManifest(repository, tag, signal))?.digest };
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
