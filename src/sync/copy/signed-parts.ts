import type { Digest } from '../../registry/oci/digest.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import { choosePlatforms } from './platform-choice.ts';

/**
 * Returns the digests of an image that the destination already has whose signatures may belong beside it: its own, and
 * those of the images that it lists. These are asked for only where the source offers signatures; where it does not tell
 * them, its own has to do.
 */
export async function signedParts(
  image: PlannedImage,
  sourceDigest: Digest,
  signal: AbortSignal,
): Promise<readonly Digest[]> {
  const { source, target, platforms, signatureTags } = image;
  if (signatureTags.length === 0 || isSignatureTag(target.tag)) return [sourceDigest];
  try {
    const manifest = await source.registry.getManifest(source.repository, sourceDigest, signal);
    const chosen = choosePlatforms(manifest, platforms, source.repository);
    const parts = chosen.kind === 'index' ? chosen.manifests.map(({ digest }) => digest) : [];
    return [sourceDigest, ...parts];
  } catch {
    signal.throwIfAborted();
    return [sourceDigest];
  }
}
