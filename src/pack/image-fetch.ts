import type { Registries } from '../registry/client.ts';
import { formatReference } from '../registry/reference.ts';
import type { BlobFetch } from './blob-fetch.ts';
import type { ImageCheck, UpstreamComparison } from './image-check.ts';
import {
  type FoundImage,
  findImage,
  findLockedImage,
  type LockedImage,
  type LookupParts,
} from './image-lookup.ts';
import { allOrFailures, jointFailure } from './joint-failure.ts';
import type { ImagePlan } from './plan.ts';

/** An image that was found, and who vouches for it. */
export interface CheckedImage {
  readonly image: FoundImage;
  readonly check: ImageCheck;
}

/** What a lock knows of an image. */
export interface LockedCheck extends LockedImage {
  readonly check: ImageCheck;
}

/**
 * Finds all images and checks them against their makers' registries, without their layers; what is locked is taken
 * as the lock has it. One that is missing does not hide the others: several are told together as `IMAGES_FAILED`.
 */
export async function lookUpImages(
  plans: readonly ImagePlan[],
  parts: LookupParts & { readonly comparison: UpstreamComparison },
  locked: ReadonlyMap<string, LockedCheck> | undefined,
): Promise<readonly CheckedImage[]> {
  const { results, failures } = await allOrFailures(
    plans.map(async (plan): Promise<CheckedImage> => {
      const known = locked?.get(formatReference(plan.upstream));
      if (known !== undefined)
        return { image: await findLockedImage(plan, known, parts), check: known.check };
      const image = await findImage(plan, parts);
      return { image, check: await parts.comparison.check(image, parts.signal) };
    }),
  );
  parts.signal.throwIfAborted();
  if (failures.length === 0) return results;
  throw jointFailure(failures, {
    code: 'IMAGES_FAILED',
    about: 'images',
    message: `${failures.length} of ${plans.length} could not be had`,
    noun: 'image',
    total: plans.length,
  });
}

export interface ImageFetch {
  readonly registries: Registries;
  readonly blobs: BlobFetch;
  readonly signal: AbortSignal;
  readonly onBytes: (image: FoundImage, count: number) => void;
  readonly onFetched: (image: CheckedImage) => void;
}

/** Gives the blobs of an image: its configuration and layers. */
export function blobsOf({ manifest }: Pick<FoundImage, 'manifest'>) {
  return [manifest.config, ...manifest.layers];
}

/** Fetches the layers of all images at once, each blob once. Throws like `lookUpImages`. */
export async function fetchImages(images: readonly CheckedImage[], parts: ImageFetch): Promise<void> {
  const { registries, blobs, signal, onBytes, onFetched } = parts;
  const { failures } = await allOrFailures(
    images.map(async (checked) => {
      const { image } = checked;
      const { host, repository } = image.pulledBy;
      const { failures: broken } = await allOrFailures(
        blobsOf(image).map((descriptor) =>
          blobs.store({
            registry: registries.at(host),
            repository,
            descriptor,
            about: formatReference(image.pulledBy),
            signal,
            onBytes: (count) => onBytes(image, count),
          }),
        ),
      );
      // One layer tells why; those of the same outage would only repeat it.
      if (broken.length > 0) throw broken[0];
      onFetched(checked);
    }),
  );
  signal.throwIfAborted();
  if (failures.length === 0) return;
  throw jointFailure(failures, {
    code: 'IMAGES_FAILED',
    about: 'images',
    message: `${failures.length} of ${images.length} could not be fetched`,
    noun: 'image',
    total: images.length,
  });
}
