import type { PinnedDigest } from '../../config/named-image.ts';
import { Failure } from '../../lib/failure.ts';
import { abbreviateDigest } from '../../registry/oci/digest.ts';
import { hasDigest, type Manifest } from '../../registry/oci/manifest.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { sourceName } from '../plan/source-name.ts';

/**
 * Returns the manifest with the digest that was given for an image, even if its tag has another one at the source.
 * Throws `NOT_FOUND` with the digest that the tag has instead.
 */
export async function getPinnedManifest(
  source: PlannedImage['source'],
  pin: PinnedDigest,
  signal: AbortSignal,
): Promise<Manifest> {
  const { registry, repository, tag } = source;
  try {
    return await registry.getManifest(repository, pin.digest, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const tagged = pin.isTagMade ? undefined : await findTagged(source, signal);
    // Some registries return a manifest by its tag only.
    if (tagged !== undefined && hasDigest(tagged, pin.digest)) return { ...tagged, digest: pin.digest };
    throw new Failure({
      code: 'NOT_FOUND',
      about: sourceName({ source, pin }),
      message: `the source has no image with this digest${tagged === undefined ? '' : `; the tag ${tag} has ${abbreviateDigest(tagged.digest)} now`}`,
      hint: `check the digest${pin.isTagMade ? ' and the repository' : ', or leave it out to mirror the image that the tag has'}`,
      cause: error,
    });
  }
}

async function findTagged(
  { registry, repository, tag }: PlannedImage['source'],
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  try {
    return await registry.getManifest(repository, tag, signal);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Returns the failure of an image that the destination refuses in its format, and that has to keep its digest. */
export function pinnedRefusal(refusal: unknown): unknown {
  if (!(refusal instanceof Failure)) return refusal;
  return new Failure({
    code: refusal.code,
    about: refusal.about,
    message: `${refusal.message}; in another format the image would not have the digest that was given`,
    hint: 'leave the digest out to mirror it in a format that the destination accepts',
    cause: refusal,
  });
}
