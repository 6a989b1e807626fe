import { countOf } from '../../lib/text/sentence.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { describeMissing, type PartsBelow } from '../copy/missing-parts.ts';
import { isLeftAlone, layersLeftOutIn } from '../plan/recorded-options.ts';
import type { RecordedImage } from '../state/image-rows.ts';
import type { Change } from './expected-digest.ts';
import type { TagView } from './tag-view.ts';

/** The result of comparing one tag of the source and the destination. */
export type MirrorVerdict =
  | 'mirrored'
  | 'incomplete'
  | 'missing'
  /** The image at the source is younger than the image set allows. */
  | 'waiting'
  | 'differs'
  | 'not-at-source'
  | 'nowhere'
  | 'unknown';

/** What the source, the destination and the state have of one tag. */
export interface TagFacts {
  readonly source: TagView;
  readonly destination: TagView;
  /** The digest that the destination should have by what the source has. */
  readonly expected: Digest | undefined;
  /** Why that differs from the digest of the source. Undefined if it is the same. */
  readonly change?: Change | undefined;
  readonly recorded: RecordedImage | undefined;
  /** What the destination has below the tag. Undefined if only digests were compared. */
  readonly below?: PartsBelow | undefined;
  /** Whether the image set wants it. Undefined if that is not known. */
  readonly isWanted?: boolean | undefined;
  /** Whether the image set holds it back because it is too young. */
  readonly isYoung?: boolean | undefined;
}

/** A verdict and the sentence that explains it. */
export interface Judgement {
  readonly verdict: MirrorVerdict;
  readonly message: string;
}

/** Returns the verdict about one tag. It depends on both registries' answers only; the state only explains it. */
export function judge(facts: TagFacts): Judgement {
  const { source, destination, expected, change, recorded, below, isWanted, isYoung = false } = facts;
  if (source.kind === 'unknown') return { verdict: 'unknown', message: source.reason };
  if (destination.kind === 'unknown') return { verdict: 'unknown', message: destination.reason };
  if (source.kind === 'absent') {
    return destination.kind === 'absent'
      ? { verdict: 'nowhere', message: 'neither the source nor the destination has it' }
      : { verdict: 'not-at-source', message: 'the destination has it, the source does not' };
  }
  if (destination.kind === 'absent') {
    if (isYoung && recorded === undefined)
      return { verdict: 'waiting', message: `not mirrored yet: ${YOUNG}` };
    const was = recorded?.pushed === undefined ? 'found' : 'pushed';
    const lost = recorded === undefined ? '' : `, although it was ${was} there: someone removed it`;
    return { verdict: 'missing', message: `the destination does not have it${lost}` };
  }
  if (destination.digest === expected) {
    if (below !== undefined && below.missing.length > 0) {
      const message = `the tag is right, but the destination lacks ${describeMissing(below.missing)} (${isWanted === false ? REPAIR_OF_UNWANTED : REPAIR})`;
      return { verdict: 'incomplete', message };
    }
    const other = change === undefined ? '' : CHANGED[change];
    const message = `the destination has what the source has${other}, ${compared(below, recorded)}`;
    return { verdict: 'mirrored', message };
  }
  if (isYoung && recorded?.pushedDigest === destination.digest) {
    return { verdict: 'waiting', message: `the destination keeps what it had: ${YOUNG}` };
  }
  const why = explainDifference(source.digest, destination.digest, recorded);
  return { verdict: 'differs', message: `the destination has another image${why}` };
}

const YOUNG = 'the image of the source is younger than "minimumAge" in the image set';
const REPAIR = 'run synctl sync --verify deep to copy it again';
const REPAIR_OF_UNWANTED = `add it to the image set, and ${REPAIR}`;

/** Returns what was compared. Without a look below the tag, only the state records layers that are elsewhere. */
function compared(below: PartsBelow | undefined, recorded: RecordedImage | undefined): string {
  if (below === undefined) {
    return `by the digest of the tag alone${exceptForeign(layersLeftOutIn(recorded?.options ?? ''))}`;
  }
  const { images, blobs, untold, unshown, elsewhere } = below;
  if (unshown > 0 && images === 0)
    return 'by the digest of the tag alone: the destination refuses to show its manifests';
  const refused = [
    untold === 0 ? '' : `; it does not answer whether it has ${countOf(untold, 'blob')} of these`,
    unshown === 0 ? '' : `; it refuses to show ${countOf(unshown, 'manifest')}`,
  ];
  const rest = refused.join('');
  return `down to each layer${exceptForeign(elsewhere)} (${countOf(images, 'image')}, ${countOf(blobs, 'blob')}${rest})`;
}

function exceptForeign(count: number): string {
  if (count === 0) return '';
  return ` except ${countOf(count, 'layer')} of a type that is not distributed, whose addresses are in the manifest`;
}

const CHANGED: Readonly<Record<Change, string>> = {
  platforms: ' of the chosen platforms',
  'beside-others': ', merged with what others added to it',
  'without-attestations': ', without attestations',
  'docker-format': ", in Docker's format",
  'oci-format': ', in the OCI format',
};

function explainDifference(source: Digest, destination: Digest, recorded: RecordedImage | undefined): string {
  if (recorded === undefined) return ', and the state has no record of it';
  if (recorded.pushedDigest !== destination) return ': someone else pushed this tag';
  if (isLeftAlone(recorded.options)) return LEFT_ALONE;
  if (recorded.sourceDigest !== source) return ': the source changed after it was mirrored';
  return ': it was mirrored with other settings (give the same --platform)';
}

const LEFT_ALONE =
  ': someone else added to this tag of signatures or replaced it, so synctl sync leaves it unchanged (delete it at the destination to get the signatures of the source, or merge them)';

/** Returns whether there are tags and each is mirrored. */
export function isMirrored(tags: readonly Pick<Judgement, 'verdict'>[]): boolean {
  return tags.length > 0 && tags.every(({ verdict }) => verdict === 'mirrored');
}

/** Returns whether there are tags and a run would leave all of them: each is mirrored, or too young to be. */
export function hasNothingLeft(tags: readonly Pick<Judgement, 'verdict'>[]): boolean {
  return tags.length > 0 && tags.every(({ verdict }) => verdict === 'mirrored' || verdict === 'waiting');
}
