import { extraName, type ImageName } from '../../config/image-name.ts';
import type { ImageSet } from '../../config/image-set.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Reference, Repository } from '../../registry/oci/reference.ts';
import { conversionIn } from '../plan/content-options.ts';
import { destinationRepository } from '../plan/naming.ts';
import { extrasOf } from '../select/extras.ts';
import { patchFor, wantsRepository } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import type { RecordedImage } from '../state/state.ts';
import type { TagView } from './tag-view.ts';

export type Verdict = 'mirrored' | 'missing' | 'differs' | 'not-at-source' | 'nowhere' | 'unknown';

/** What is known of one tag. */
export interface TagFacts {
  readonly source: TagView;
  readonly destination: TagView;
  /** What the destination should hold: the source's digest, or another one where platforms are chosen. */
  readonly expected: Digest | undefined;
  readonly recorded: RecordedImage | undefined;
}

/** A verdict and the sentence that explains it. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly message: string;
}

/** Judges one tag. Only what both registries said counts; the state only explains how it came about. */
export function judge({ source, destination, expected, recorded }: TagFacts): Judgement {
  if (source.kind === 'unknown') return { verdict: 'unknown', message: source.reason };
  if (destination.kind === 'unknown') return { verdict: 'unknown', message: destination.reason };
  if (source.kind === 'absent') {
    return destination.kind === 'absent'
      ? { verdict: 'nowhere', message: 'neither the source nor the destination has it' }
      : { verdict: 'not-at-source', message: 'the destination has it, the source does not' };
  }
  if (destination.kind === 'absent') {
    const lost = recorded === undefined ? '' : ', though it was pushed there: someone removed it';
    return { verdict: 'missing', message: `the destination does not have it${lost}` };
  }
  if (destination.digest === expected) {
    const message = `the destination holds what the source holds${explainOtherDigest(source.digest, expected, recorded)}`;
    return { verdict: 'mirrored', message };
  }
  const why = explainDifference(source.digest, destination.digest, recorded);
  return { verdict: 'differs', message: `the destination holds something else${why}` };
}

function explainOtherDigest(source: Digest, expected: Digest, recorded: RecordedImage | undefined): string {
  if (expected === source) return '';
  const conversion = recorded?.pushedDigest === expected ? conversionIn(recorded.options) : undefined;
  if (conversion === undefined) return ' of the chosen platforms';
  return conversion === 'docker-format' ? ", in Docker's format" : ', without attestations';
}

function explainDifference(source: Digest, destination: Digest, recorded: RecordedImage | undefined): string {
  if (recorded === undefined) return ', and the state does not know it';
  if (recorded.pushedDigest !== destination) return ': someone else pushed this tag';
  if (recorded.sourceDigest !== source) return ': the source moved on since it was mirrored';
  return ': it was mirrored with other settings (give the same --platform)';
}

/** Where an image stands in an image set, and where it goes. */
export interface Placement {
  readonly name: ImageName;
  readonly destination: Repository;
  /** The line of the set by which its repository is wanted; undefined where it is not. */
  readonly wantedBy: Place | undefined;
  /** The patch that gives it a name, tags or platforms of its own. */
  readonly patchedBy: Place | undefined;
}

/** Finds an image in an image set; without a set it is placed by `--naming` alone. */
export function placeImage(
  image: Reference,
  set: ImageSet | undefined,
  settings: Pick<SyncSettings, 'source' | 'naming' | 'namespace'>,
): Placement {
  const extra = set === undefined ? undefined : extrasOf(set).get(extraName(image));
  const isOfSource = image.host === settings.source;
  const path: string = image.repository;
  const isWantedOfSource = isOfSource && set !== undefined && wantsRepository(set, path);
  const name = isWantedOfSource || (isOfSource && extra === undefined) ? path : extraName(image);
  const patch = set === undefined ? undefined : patchFor(set, name);
  const entries = isWantedOfSource ? [...set.names, ...set.prefixes] : [];
  const wantedBy =
    entries.find(({ value }) => value === path) ?? entries.find(({ value }) => path.startsWith(value));
  return {
    name,
    destination: destinationRepository(settings.naming, settings.namespace, image, patch?.name),
    wantedBy: wantedBy?.place ?? set?.clusterImages.get(name)?.places[0] ?? extra?.places[0],
    patchedBy: patch?.place,
  };
}
