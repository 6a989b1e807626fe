import { createHash } from 'node:crypto';
import { looksImmutable } from '../../config/tag-version.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import type { SyncSettings } from '../settings.ts';
import type { RecordedImage } from '../state/image-rows.ts';
import { fitsSettings } from './recorded-options.ts';

/** What is known about a destination repository: its tags, that it does not exist, or nothing. */
export type DestinationListing =
  | { readonly kind: 'tags'; readonly tags: ReadonlySet<Tag> }
  | { readonly kind: 'absent' }
  /** Some registries refuse to list tags even to accounts that may pull. */
  | { readonly kind: 'unknown' };

/** The reasons of decisions: a code for programs and a text for people. */
const REASONS = {
  REPOSITORY_NEW: 'the repository is new',
  MISSING: 'missing at the destination',
  CHANGED: 'changed at the source',
  DIFFERS: 'differs from the source',
  INCOMPLETE: 'incomplete at the destination',
  JOINED: 'joined with what others added at the destination',
  LEFT_ALONE: 'others added to it or replaced it at the destination, so keel-pkg leaves it unchanged',
  DESTINATION_UNLISTED: 'the destination does not list its tags',
  SOURCE_DIGEST_UNKNOWN: 'the source lists no digests',
  NOT_IN_STATE: 'not in the state',
  OTHER_SETTINGS: 'mirrored with other settings',
  SIGNATURE_DUE: 'its signature was not verified yet',
  MOVING_TAG: 'a tag that moves',
  VERIFIED: 'checked because of --verify',
  SAMPLED: "in today's sample of --verify",
  UNCHANGED: 'unchanged',
} as const;

/** What to do about one tag, and why. */
export interface Decision {
  readonly action: 'copy' | 'check' | 'skip';
  readonly reason: { readonly code: keyof typeof REASONS; readonly message: string };
}

/** Returns the reason with a code. */
export function describeReason(code: keyof typeof REASONS): Decision['reason'] {
  return { code, message: REASONS[code] };
}

function decision(action: Decision['action'], code: keyof typeof REASONS): Decision {
  return { action, reason: describeReason(code) };
}

/** Everything that is known about a wanted tag without a request for it. */
interface Situation {
  readonly repository: Repository;
  readonly tag: Tag;
  /** From the listing of the source. */
  readonly sourceDigest: Digest | undefined;
  readonly listing: DestinationListing;
  readonly recorded: RecordedImage | undefined;
  /** The settings that determine content, in the form that the state records. */
  readonly options: string;
  /** Whether the tag must have this digest, even if it has another one at the source. */
  readonly isPinned?: boolean | undefined;
  /** Whether a signature is required and was not verified by the current policy. */
  readonly isSignatureDue: boolean;
  /** Whether the destination is left unchanged if the source moved the tag. */
  readonly keepsMoved: boolean;
  readonly verify: SyncSettings['verify'];
  readonly now: Date;
}

const SAMPLE_PERIOD_DAYS = 14;
const DAY_MILLISECONDS = 86_400_000;

/** Returns whether a tag is in the sample of a day. Each tag is in one sample of 14 days; samples are of equal size. */
function isInSample(repository: Repository, tag: Tag, now: Date): boolean {
  const slot =
    createHash('sha256').update(`${repository}:${tag}`).digest().readUInt32BE(0) % SAMPLE_PERIOD_DAYS;
  return slot === Math.floor(now.getTime() / DAY_MILLISECONDS) % SAMPLE_PERIOD_DAYS;
}

/** How much of an image is checked: its tag alone, also the manifests that its index lists, or all of its parts. */
export type Extent = 'tag' | 'manifests' | 'parts';

/**
 * Returns how much of an image is checked at the destination if its tag is right there, by `--verify` and the day. With
 * more than `tag`, it is checked even if nothing points to a change.
 */
export function extentOf({
  repository,
  tag,
  verify,
  now,
}: Pick<Situation, 'repository' | 'tag' | 'verify' | 'now'>): Extent {
  if (verify === 'deep') return 'parts';
  return verify === 'all' || (verify === 'sample' && isInSample(repository, tag, now)) ? 'manifests' : 'tag';
}

/**
 * Decides what to do about a wanted tag, and why. `check` asks the destination for it. `skip` requires that the listing
 * of the source, the state and the listing of the destination agree, and that the tag does not move by nature.
 */
export function decide(situation: Situation): Decision {
  const { listing, tag, sourceDigest, recorded, options, verify } = situation;
  if (listing.kind === 'absent') return decision('copy', 'REPOSITORY_NEW');
  if (listing.kind === 'tags' && !listing.tags.has(tag)) return decision('copy', 'MISSING');
  if (listing.kind === 'unknown') return decision('check', 'DESTINATION_UNLISTED');
  if (sourceDigest === undefined) return decision('check', 'SOURCE_DIGEST_UNKNOWN');
  if (recorded === undefined) return decision('check', 'NOT_IN_STATE');
  const isChanged = recorded.sourceDigest !== sourceDigest;
  // The destination may already have the new image of the source, so that there is nothing to keep.
  if (isChanged && situation.keepsMoved) return decision('check', 'CHANGED');
  if (isChanged) return decision('copy', 'CHANGED');
  const isOther = situation.isPinned === true && recorded.pushedDigest !== sourceDigest;
  if (isOther || !fitsSettings(recorded.options, options)) return decision('check', 'OTHER_SETTINGS');
  if (situation.isSignatureDue) return decision('check', 'SIGNATURE_DUE');
  const isMoving = situation.isPinned !== true && !looksImmutable(tag) && !isSignatureTag(tag);
  if (isMoving) return decision('check', 'MOVING_TAG');
  const isVerified = extentOf(situation) !== 'tag';
  if (isVerified && verify !== 'sample') return decision('check', 'VERIFIED');
  if (isVerified) return decision('check', 'SAMPLED');
  return decision('skip', 'UNCHANGED');
}
