import { createHash } from 'node:crypto';
import type { Digest } from '../registry/digest.ts';
import type { Repository, Tag } from '../registry/reference.ts';
import { isSignatureTag } from './signature-tag.ts';
import type { RecordedImage } from './state.ts';
import { looksImmutable } from './tag-version.ts';

/** What is known of a destination repository: its tags, that it does not exist, or nothing. */
export type DestinationListing =
  | { readonly kind: 'tags'; readonly tags: ReadonlySet<Tag> }
  | { readonly kind: 'absent' }
  /** Some registries refuse to list even to those who may pull. */
  | { readonly kind: 'unknown' };

export type Verification = 'sample' | 'all' | 'none';

/** What to do about one tag, and why; the reason is shown to people. */
export interface Decision {
  readonly action: 'copy' | 'check' | 'skip';
  readonly reason: string;
}

/** All that is known about one wanted tag before anything is asked about it. */
export interface Situation {
  readonly repository: Repository;
  readonly tag: Tag;
  /** As the source's listing tells it. */
  readonly sourceDigest: Digest | undefined;
  readonly listing: DestinationListing;
  readonly recorded: RecordedImage | undefined;
  /** The settings that shape content, as the state has them. */
  readonly options: string;
  readonly verify: Verification;
  readonly now: Date;
}

const SAMPLE_PERIOD_DAYS = 14;
const DAY_MILLISECONDS = 86_400_000;

/** Tells whether a tag is one of today's sample: each is so once in 14 days, spread evenly over them. */
export function isInSample(repository: Repository, tag: Tag, now: Date): boolean {
  const slot =
    createHash('sha256').update(`${repository}:${tag}`).digest().readUInt32BE(0) % SAMPLE_PERIOD_DAYS;
  return slot === Math.floor(now.getTime() / DAY_MILLISECONDS) % SAMPLE_PERIOD_DAYS;
}

/**
 * Decides what to do about a wanted tag. `skip` is only for what the source's listing, the state and the
 * destination's listing agree about and what nobody is likely to have moved; `check` asks the destination.
 */
export function decide(situation: Situation): Decision {
  const { listing, tag, sourceDigest, recorded, options, verify, repository, now } = situation;
  if (listing.kind === 'absent') return { action: 'copy', reason: 'the repository is new' };
  if (listing.kind === 'tags' && !listing.tags.has(tag)) return { action: 'copy', reason: 'missing' };
  const check = (reason: string): Decision => ({ action: 'check', reason });
  if (listing.kind === 'unknown') return check('the destination does not list its tags');
  if (sourceDigest === undefined) return check('the source lists no digests');
  if (recorded === undefined) return check('not in the state');
  if (recorded.sourceDigest !== sourceDigest) return { action: 'copy', reason: 'changed at the source' };
  if (recorded.options !== options) return check('mirrored with other settings');
  if (!looksImmutable(tag) && !isSignatureTag(tag)) return check('a tag that moves');
  if (verify === 'all') return check('verified');
  if (verify === 'sample' && isInSample(repository, tag, now)) return check('verified as a sample');
  return { action: 'skip', reason: 'unchanged' };
}
