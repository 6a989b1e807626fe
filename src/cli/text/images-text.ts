import type { DoubtfulImage, FoundImages } from '../../config/images/found-images.ts';
import type { Place } from '../../lib/reporter.ts';
import { alignColumns } from '../../lib/text/columns.ts';
import { countOf, formatCount, joinWords } from '../../lib/text/sentence.ts';
import { formatReference } from '../../registry/oci/reference.ts';

/** Further places of one image are only counted. */
const PLACES_SHOWN = 3;
const DOUBTS_SHOWN = 100;

/** Returns a line for each image: its full name, and the lines of the files where it is. */
export function imageLines({ images }: FoundImages): string[] {
  return alignColumns(
    images.map(({ reference, places }) => [formatReference(reference), placesText(places)]),
  );
}

function placesText(places: readonly Place[]): string {
  const lines = [...new Set(places.map(({ file, line }) => `${file}:${line}`))];
  const more = lines.length - PLACES_SHOWN;
  return more > 0 ? `${lines.slice(0, PLACES_SHOWN).join(', ')} and ${more} more` : lines.join(', ');
}

/** Returns the first of many doubts, and the number of the others in words. */
export function fewDoubts(doubts: readonly DoubtfulImage[]): {
  readonly shown: readonly DoubtfulImage[];
  readonly rest: string | undefined;
} {
  const more = doubts.length - DOUBTS_SHOWN;
  return { shown: doubts.slice(0, DOUBTS_SHOWN), rest: more > 0 ? `${formatCount(more)} more` : undefined };
}

/** Returns the sentence at the end of the list. */
export function countText({ images, uncertain, refused }: FoundImages): string {
  const parts = [
    countOf(images.length, 'image'),
    ...(uncertain.length === 0 ? [] : [`${formatCount(uncertain.length)} uncertain`]),
    ...(refused.length === 0 ? [] : [`${formatCount(refused.length)} that cannot be used`]),
  ];
  const advice = uncertain.length === 0 ? '' : '; to mirror an uncertain one, add its image to a list';
  return `${joinWords(parts)}${advice}`;
}

/** Returns an image set with the images. */
export function imageSetJson({ images }: FoundImages): { readonly extras: readonly string[] } {
  return { extras: [...new Set(images.map(({ reference }) => formatReference(reference)))] };
}
