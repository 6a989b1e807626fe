import type { Place } from '../../lib/reporter.ts';
import { formatReference, type Reference } from '../../registry/oci/reference.ts';
import { formatPlace, type Notice } from '../problem.ts';
import { parseGivenImage } from './given-image.ts';

/** An image in a file, with every place that names it. */
export interface FoundImage {
  /** With a tag, a digest or both. */
  readonly reference: Reference;
  readonly places: readonly Place[];
}

/** A text that looks like an image but may not be one, or that cannot be used unchanged, and why. */
export interface DoubtfulImage {
  readonly text: string;
  readonly place: Place;
  /** A clause such as `it contains the shell variable $TAG`. */
  readonly reason: string;
  readonly hint?: string | undefined;
}

/** All images of a file, in its order. */
export interface FoundImages {
  readonly images: readonly FoundImage[];
  /** Texts that may not be images. They are never mirrored. */
  readonly uncertain: readonly DoubtfulImage[];
  /** Texts that are meant as images and cannot be used. */
  readonly refused: readonly DoubtfulImage[];
  /** How keel-pkg reads images that are written in a short or old form. */
  readonly notices: readonly Notice[];
}

/** Returns what is wrong with or uncertain about a text, and what to write. */
export function describeDoubt({ text, reason, hint }: Omit<DoubtfulImage, 'place'>): string {
  return `${text}: ${reason}${hint === undefined ? '' : ` (${hint})`}`;
}

/**
 * Returns the images of several files as those of one, each image once. An image that is uncertain in one place and
 * certain in another is certain.
 */
export function joinedImages(files: readonly FoundImages[]): FoundImages {
  const images = Map.groupBy(
    files.flatMap((file) => file.images),
    ({ reference }) => formatReference(reference),
  );
  const uncertain = Map.groupBy(
    files.flatMap((file) => file.uncertain).filter(({ text }) => !images.has(fullName(text))),
    ({ text, reason }) => `${text}\n${reason}`,
  );
  return {
    images: [...images.values()].flatMap((same) =>
      same
        .slice(0, 1)
        .map(({ reference }) => ({ reference, places: distinct(same.flatMap(({ places }) => places)) })),
    ),
    uncertain: [...uncertain.values()].flatMap((same) => same.slice(0, 1)),
    refused: files.flatMap(({ refused }) => refused),
    notices: files.flatMap(({ notices }) => notices),
  };
}

/** Returns each place once: several services of a compose file can take over the same image. */
function distinct(places: readonly Place[]): readonly Place[] {
  return [...new Map(places.map((place) => [formatPlace(place), place])).values()];
}

/** Returns the full name of the image in a text; empty if the text names none. */
function fullName(text: string): string {
  try {
    return formatReference(parseGivenImage(text));
  } catch {
    return '';
  }
}
