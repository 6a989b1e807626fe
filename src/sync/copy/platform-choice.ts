import { Failure } from '../../lib/failure.ts';
import type { Descriptor, Index, Manifest } from '../../registry/oci/manifest.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../../registry/oci/platform.ts';
import { ATTESTED_DIGEST, keepEntries } from './index-subset.ts';

function offeredPlatforms(index: Index): string {
  const names = index.manifests.flatMap(({ platform }) =>
    platform === undefined ? [] : [formatPlatform(platform)],
  );
  return [...new Set(names)].filter((name) => name !== 'unknown/unknown').join(', ');
}

function chosenEntries(index: Index, platforms: readonly Platform[]): ReadonlySet<Descriptor> {
  const chosen = index.manifests.filter(
    ({ platform }) => platform !== undefined && platforms.some((wanted) => matchesPlatform(platform, wanted)),
  );
  const digests = new Set<string>(chosen.map(({ digest }) => digest));
  const attestations = index.manifests.filter(({ annotations }) =>
    digests.has(annotations?.[ATTESTED_DIGEST] ?? ''),
  );
  return new Set([...chosen, ...attestations]);
}

/**
 * Returns the manifest to push for the wanted platforms. It is unchanged if all platforms are wanted, if all its
 * entries are kept or if it is a single image. Otherwise it is an index of the entries that are kept, which has another
 * digest (OCI image-index.md). Throws `PLATFORM_MISSING`.
 */
export function choosePlatforms(manifest: Manifest, platforms: readonly Platform[], about: string): Manifest {
  if (platforms.length === 0 || manifest.kind === 'image') return manifest;
  const kept = chosenEntries(manifest, platforms);
  if (kept.size === 0) {
    throw new Failure({
      code: 'PLATFORM_MISSING',
      about,
      message: `it does not exist for ${platforms.map(formatPlatform).join(', ')}`,
      hint: `it offers ${offeredPlatforms(manifest) || 'no platform by name'}; see --platform and "patches"`,
    });
  }
  return keepEntries(manifest, kept, about);
}
