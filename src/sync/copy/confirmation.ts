import type { Digest } from '../../registry/oci/digest.ts';
import type { PlannedImage } from '../plan/planning.ts';
import {
  contentOptions,
  conversionIn,
  fitsSettings,
  hasOthersSignatures,
  layersLeftOutIn,
  mayDiffer,
} from '../plan/recorded-options.ts';
import type { ImageFacts } from './mirrored-image.ts';

/**
 * Returns the facts about a tag that is right; undefined if it is not, or if only building the image would show that.
 */
export function confirm(
  image: PlannedImage,
  sourceDigest: Digest,
  pushedDigest: Digest,
): Omit<ImageFacts, 'digests'> | undefined {
  const { recorded, platforms, pin } = image;
  const layersLeftOut = knownLeftOut(image, sourceDigest);
  const found = { sourceDigest, pushedDigest, layersLeftOut };
  if (platforms.length === 0 && pushedDigest === sourceDigest) return { ...found, conversion: undefined };
  if (pin !== undefined) return undefined;
  const isRecorded =
    recorded?.sourceDigest === sourceDigest &&
    recorded.pushedDigest === pushedDigest &&
    mayDiffer(recorded.options, platforms) &&
    fitsSettings(recorded.options, contentOptions(platforms));
  if (!isRecorded) return undefined;
  const others = hasOthersSignatures(recorded.options) ? 'beside' : undefined;
  return { ...found, conversion: conversionIn(recorded.options), others };
}

/** Returns the number of foreign layers that the destination lacks according to the state. */
export function knownLeftOut({ recorded }: PlannedImage, sourceDigest: Digest): number {
  return recorded?.sourceDigest === sourceDigest ? layersLeftOutIn(recorded.options) : 0;
}
