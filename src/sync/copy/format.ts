import type { Digest } from '../../registry/oci/digest.ts';
import type { Index, Manifest } from '../../registry/oci/manifest.ts';
import { type ManifestMediaType, MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import type { Conversion } from '../plan/recorded-options.ts';
import { type Family, isContainerImage, toImageOf, toIndexOf } from './format-family.ts';
import { isAttestation, keepEntries, listsBlobs } from './index-subset.ts';

/** The kinds of manifests that some registries refuse. */
export type RefusedFormat = 'attestation' | 'oci-index' | 'oci-image' | 'docker-list' | 'docker-image';

/** An image in the form in which it is pushed. */
export interface FormedImage {
  readonly manifest: Manifest;
  /** Manifests that its index lists but that do not exist at the source, by digest. */
  readonly parts: ReadonlyMap<Digest, Manifest>;
  /** The entries of its index that others pushed to the destination, if there are any. */
  readonly theirs?: ReadonlySet<Digest> | undefined;
  /** Undefined if it is unchanged. */
  readonly conversion: Conversion | undefined;
}

const FORMATS: Readonly<Record<ManifestMediaType, Exclude<RefusedFormat, 'attestation'>>> = {
  [MEDIA_TYPE.ociIndex]: 'oci-index',
  [MEDIA_TYPE.ociManifest]: 'oci-image',
  [MEDIA_TYPE.dockerList]: 'docker-list',
  [MEDIA_TYPE.dockerManifest]: 'docker-image',
};

/** The same table, which can be searched for any media type. */
const formats: ReadonlyMap<string, RefusedFormat> = new Map(Object.entries(FORMATS));

/** Returns the kind of a refused manifest that no index lists. */
export function formatOf({ mediaType }: Pick<Manifest, 'mediaType'>): RefusedFormat {
  return FORMATS[mediaType];
}

/**
 * Returns the conversion that avoids some refused formats; undefined if none is necessary or would help. If the
 * destination refuses both families, the format is not the reason.
 */
export function conversionFor(
  manifest: Manifest,
  refused: ReadonlySet<RefusedFormat>,
): Conversion | undefined {
  const refusesOci = refused.has('oci-index') || refused.has('oci-image');
  const refusesDocker = refused.has('docker-list') || refused.has('docker-image');
  const has = (format: RefusedFormat): boolean =>
    formatOf(manifest) === format ||
    (manifest.kind === 'index' &&
      manifest.manifests.some(({ mediaType }) => formats.get(mediaType) === format));
  // Other artifacts, such as signatures, cannot be converted.
  const isConvertible = manifest.kind === 'index' ? !listsBlobs(manifest) : isContainerImage(manifest);
  const isRefused = isConvertible && [...refused].some((format) => format !== 'attestation' && has(format));
  if (isRefused && !(refusesOci && refusesDocker)) return refusesOci ? 'docker-format' : 'oci-format';
  const hasAttestations = manifest.kind === 'index' && manifest.manifests.some(isAttestation);
  return refused.has('attestation') && hasAttestations ? 'without-attestations' : undefined;
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

const FAMILY_OF: Readonly<Record<Conversion, Family | undefined>> = {
  'without-attestations': undefined,
  'docker-format': 'docker',
  'oci-format': 'oci',
};

async function convert(
  original: Manifest,
  conversion: Conversion | undefined,
  fetch: (digest: Digest) => Promise<Manifest>,
  about: string,
): Promise<Pick<FormedImage, 'manifest' | 'parts'>> {
  const none: ReadonlyMap<Digest, Manifest> = new Map();
  if (conversion === undefined) return { manifest: original, parts: none };
  const family = FAMILY_OF[conversion];
  if (original.kind === 'image') {
    return { manifest: family === undefined ? original : toImageOf(family, original, about), parts: none };
  }
  const runnable = family === 'oci' ? original : withoutAttestations(original, about);
  if (family === undefined || runnable.kind === 'image') return { manifest: runnable, parts: none };
  const images = await Promise.all(
    runnable.manifests.map(async ({ digest }): Promise<[Digest, Manifest]> => {
      const part = await fetch(digest);
      return [digest, part.kind === 'image' ? toImageOf(family, part, about) : part];
    }),
  );
  const manifest = toIndexOf(family, runnable, new Map(images), about);
  return { manifest, parts: new Map(images.map(([, part]) => [part.digest, part])) };
}

function withoutAttestations(index: Index, about: string): Manifest {
  const kept = new Set(index.manifests.filter((entry) => !isAttestation(entry)));
  return kept.size === 0 ? index : keepEntries(index, kept, about);
}
