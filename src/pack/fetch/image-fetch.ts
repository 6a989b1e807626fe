import { isConnectionFailure } from '../../lib/http/http-failure.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { ImagePlan } from '../plan/plan.ts';
import type { BlobFiles, BlobStore } from './blob-store.ts';
import {
  findImage,
  findLockedImage,
  type LocatedImage,
  type LockedImage,
  type LookupParts,
} from './image-lookup.ts';
import type { ImageSignature, ImageVerification } from './image-signature.ts';
import { allOrFailures, jointFailure } from './joint-failure.ts';
import type { EarlyCheck, ImageCheck, UpstreamComparison } from './maker-comparison.ts';

/** An image that was found, and what verifies it as far as that is known before its layers are fetched. */
export interface ComparedImage {
  readonly image: LocatedImage;
  readonly check: EarlyCheck;
  /** As the package records it; undefined if none is wanted. */
  readonly signature?: ImageSignature | undefined;
  /** The signature that this run found; undefined if none is wanted. */
  readonly verification?: ImageSignature | undefined;
}

/** An image whose layers are stored, and what verifies it. */
export interface CheckedImage extends ComparedImage {
  readonly check: ImageCheck;
}

/** What a lock records about an image. */
export interface LockedCheck extends LockedImage {
  readonly check: ImageCheck;
  readonly signature?: ImageSignature | undefined;
  /** The policy by which the signature was verified; locks of older versions have none. */
  readonly signedUnder?: string | undefined;
}

/**
 * Finds all images, without their layers, and compares them with upstream. Those that a lock records are taken from the
 * lock. Returns them in the order of the plans. Throws what failed, several failures together as `IMAGES_FAILED`.
 */
export async function lookUpImages(
  plans: readonly ImagePlan[],
  parts: LookupParts & {
    readonly comparison: UpstreamComparison;
    /** Undefined if no signatures are wanted. */
    readonly verification: ImageVerification | undefined;
  },
  locked: ReadonlyMap<string, LockedCheck> | undefined,
): Promise<readonly ComparedImage[]> {
  const { results, failures, positions } = await allOrFailures(
    plans.map(async (plan): Promise<ComparedImage> => {
      const known = locked?.get(formatReference(plan.upstream));
      if (known !== undefined) {
        const image = await findLockedImage(plan, known, parts);
        const { check } = known;
        // A verified image is locked by its digest.
        const isVerified =
          known.signature?.kind === 'verified' && isCurrent(known, image, parts.verification);
        const verification = isVerified
          ? known.signature
          : await parts.verification?.verify(image, parts.signal);
        return { image, check, signature: signatureNow(known, verification), verification };
      }
      const image = await findImage(plan, parts);
      const [check, signature] = await Promise.allSettled([
        parts.comparison.check(image, parts.signal),
        parts.verification?.verify(image, parts.signal),
      ]);
      // Both end first: otherwise a missing signature could hide that the image is another one than upstream's.
      if (check.status === 'rejected') throw check.reason;
      if (signature.status === 'rejected') throw signature.reason;
      return { image, check: check.value, signature: signature.value, verification: signature.value };
    }),
  );
  parts.signal.throwIfAborted();
  if (failures.length === 0) return results;
  throw jointFailure(named(failures, positions, plans), {
    code: 'IMAGES_FAILED',
    about: 'images',
    message: `${failures.length} of ${plans.length} could not be fetched`,
    noun: 'image',
    total: plans.length,
  });
}

/** Returns failures. One that only names a host gets the name of its image. */
function named(
  failures: readonly unknown[],
  positions: readonly number[],
  images: readonly Pick<ImagePlan, 'upstream'>[],
): Parameters<typeof jointFailure>[0] {
  return failures.map((error, index) => {
    const image = images[positions[index] ?? -1];
    return isConnectionFailure(error) && image !== undefined
      ? { name: formatReference(image.upstream), error }
      : { error };
  });
}

/** Returns whether a lock's signature was verified by the policy that applies now, if signatures are verified. */
function isCurrent(
  { signedUnder }: LockedCheck,
  image: LocatedImage,
  verification: ImageVerification | undefined,
): boolean {
  return verification === undefined || signedUnder === verification.policyOf(image);
}

/** Returns the signature that the package records: the one that this run found, or the lock's if both mean the same. */
function signatureNow(
  { signature: locked }: LockedCheck,
  found: ImageSignature | undefined,
): ImageSignature | undefined {
  const isSame = found === undefined || (found.kind === 'unverified' && locked?.kind === 'unverified');
  return isSame ? locked : found;
}

interface ImageFetch {
  readonly registries: Registries;
  readonly blobs: BlobStore;
  readonly comparison: UpstreamComparison;
  readonly signal: AbortSignal;
  readonly onBytes: (image: LocatedImage, count: number) => void;
  readonly onFetched: (image: CheckedImage) => void;
}

/** Returns the blobs of an image: its configuration and layers. */
export function blobsOf({ manifest }: Pick<LocatedImage, 'manifest'>) {
  return [manifest.config, ...manifest.layers];
}

/**
 * Fetches the layers of all images at once, each blob once, and returns what verifies them. Throws like `lookUpImages`.
 */
export async function fetchImages(
  images: readonly ComparedImage[],
  parts: ImageFetch,
): Promise<readonly CheckedImage[]> {
  const { registries, blobs, comparison, signal, onBytes, onFetched } = parts;
  const { results, failures, positions } = await allOrFailures(
    images.map(async (compared): Promise<CheckedImage> => {
      const { image } = compared;
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
      // One layer is enough: further failures of the same outage would only repeat it.
      if (broken.length > 0) throw broken[0];
      const blobFiles: BlobFiles = (digest) => blobs.pathOf(digest);
      const check = await comparison.settle(image, compared.check, { blobFiles, signal });
      const checked = { ...compared, check };
      onFetched(checked);
      return checked;
    }),
  );
  signal.throwIfAborted();
  if (failures.length === 0) return results;
  throw jointFailure(
    named(
      failures,
      positions,
      images.map(({ image }) => image),
    ),
    {
      code: 'IMAGES_FAILED',
      about: 'images',
      message: `${failures.length} of ${images.length} could not be fetched`,
      noun: 'image',
      total: images.length,
    },
  );
}
