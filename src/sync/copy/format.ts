import type { Digest } from '../../registry/oci/digest.ts';
import type { Index, Manifest } from '../../registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import type { Conversion } from '../plan/recorded-options.ts';
import { isContainerImage, toDockerImage, toDockerList } from './docker-format.ts';
import { isAttestation, keepEntries } from './index-subset.ts';

/** The kinds of manifests that some registries refuse. */
export type RefusedFormat = 'attestation' | 'oci-index' | 'oci-image' | 'other';

/** An image in the form in which it is pushed. */
export interface FormedImage {
  readonly manifest: Manifest;
  /** Manifests that its index lists but that do not exist at the source, by digest. */
  readonly parts: ReadonlyMap<Digest, Manifest>;
  /** Undefined if it is unchanged. */
  readonly conversion: Conversion | undefined;
}

/** Returns the kind of a refused manifest that no index lists. */
export function formatOf({ mediaType }: Pick<Manifest, 'mediaType'>): RefusedFormat {
  if (mediaType === MEDIA_TYPE.ociIndex) return 'oci-index';
  return mediaType === MEDIA_TYPE.ociManifest ? 'oci-image' : 'other';
}

/** Returns the conversion that avoids some refused formats; undefined if none is necessary, or none would help. */
export function conversionFor(
  manifest: Manifest,
  refused: ReadonlySet<RefusedFormat>,
): Conversion | undefined {
  if (manifest.kind === 'image') {
    // Other artifacts, such as signatures, cannot be converted.
    const isConvertible = formatOf(manifest) === 'oci-image' && isContainerImage(manifest);
    return isConvertible && refused.has('oci-image') ? 'docker-format' : undefined;
  }
  const isOci = manifest.mediaType === MEDIA_TYPE.ociIndex;
  const listsOci = manifest.manifests.some(({ mediaType }) => mediaType === MEDIA_TYPE.ociManifest);
  if (isOci && refused.has('oci-index')) return 'docker-format';
  if (listsOci && refused.has('oci-image')) return 'docker-format';
  return refused.has('attestation') && manifest.manifests.some(isAttestation)
    ? 'without-attestations'
    : undefined;
}

/**
 * Returns an image after a conversion. `fetch` returns the manifests that its index lists. No image that can be run is
 * left out. Throws `FORMAT_UNCONVERTIBLE`.
 */
export async function formImage(
  original: Manifest,
  conversion: Conversion | undefined,
  fetch: (digest: Digest) => Promise<Manifest>,
  about: string,
): Promise<FormedImage> {
  const formed = await convert(original, conversion, fetch, about);
  const isChanged = formed.manifest.digest !== original.digest;
  return { ...formed, conversion: isChanged ? conversion : undefined };
}

async function convert(
  original: Manifest,
  conversion: Conversion | undefined,
  fetch: (digest: Digest) => Promise<Manifest>,
  about: string,
): Promise<Pick<FormedImage, 'manifest' | 'parts'>> {
  const none: ReadonlyMap<Digest, Manifest> = new Map();
  if (conversion === undefined) return { manifest: original, parts: none };
  if (original.kind === 'image') {
    const manifest = conversion === 'docker-format' ? toDockerImage(original, about) : original;
    return { manifest, parts: none };
  }
  const runnable = withoutAttestations(original, about);
  if (conversion === 'without-attestations' || runnable.kind === 'image') {
    return { manifest: runnable, parts: none };
  }
  const images = await Promise.all(
    runnable.manifests.map(async ({ digest }): Promise<[Digest, Manifest]> => {
      const part = await fetch(digest);
      return [digest, part.kind === 'image' ? toDockerImage(part, about) : part];
    }),
  );
  const manifest = toDockerList(runnable, new Map(images), about);
  return { manifest, parts: new Map(images.map(([, part]) => [part.digest, part])) };
}

function withoutAttestations(index: Index, about: string): Manifest {
  const kept = new Set(index.manifests.filter((entry) => !isAttestation(entry)));
  return kept.size === 0 ? index : keepEntries(index, kept, about);
}
