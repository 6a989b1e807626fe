import { readImageSet } from '../config/configuration-file.ts';
import type { ImageSet } from '../config/image-set.ts';
import { givenImageSet } from '../config/images/given-image-set.ts';
import { readGivenImages } from '../config/images/given-images.ts';
import type { SyncSettings } from './settings.ts';

type WishSettings = Pick<SyncSettings, 'source' | 'imageSet' | 'given'>;

/**
 * Returns what to mirror: what the image set wants, or exactly the images that were given, with the rules of the image set
 * if it was named too. Throws failures of both.
 */
export async function readWantedImages(
  { source, imageSet, given }: WishSettings,
  signal: AbortSignal,
): Promise<ImageSet> {
  if (given === undefined) return readImageSet(imageSet, signal);
  const rules = given.withRules ? await readImageSet(imageSet, signal) : undefined;
  const { images, notices } = await readGivenImages(given, signal);
  const set = givenImageSet(images, { source, rules });
  return { ...set, notices: [...set.notices, ...notices] };
}

/** Returns whether anything is wanted from the source, and not only from other registries. */
export function wantsOfSource(set: ImageSet, source: SyncSettings['source']): boolean {
  const searches = set.kubernetes.length + set.names.length + set.prefixes.length > 0;
  return searches || [...set.extraImages.values()].some(({ host }) => host === source);
}

/** Returns the number of images in a set of given ones. */
export function countGiven({ extraImages }: Pick<ImageSet, 'extraImages'>): number {
  return [...extraImages.values()].reduce((sum, { tags }) => sum + tags.size, 0);
}
