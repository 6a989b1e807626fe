import { Failure } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { type Descriptor, type Index, isNestedIndex, type Manifest } from '../../registry/oci/manifest.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../../registry/oci/platform.ts';
import { requireReasonable } from './index-limits.ts';
import { ATTESTED_DIGEST, listsBlobs, rewriteEntries } from './index-subset.ts';

/** What is pushed of an image for some platforms. */
interface ChosenImage {
  readonly manifest: Manifest;
  /** Indexes that its index lists and that do not exist at the source, by digest. */
  readonly parts: ReadonlyMap<Digest, Manifest>;
}

/** What a choice of platforms needs. */
interface PlatformChoice {
  /** Empty means all. */
  readonly platforms: readonly Platform[];
  /** Returns what an index lists. It is only called for indexes in an index. */
  readonly fetch: (digest: Digest) => Promise<Manifest>;
  readonly about: string;
}

const NOTHING: ReadonlyMap<Digest, Manifest> = new Map();

/**
 * Returns what to push for the wanted platforms. The manifest is unchanged if all platforms are wanted, if all its
 * entries are kept, or if it is a single image or a build cache. Otherwise it is an index of the entries that are kept,
 * which has another digest (OCI image-index.md). An index within it that loses entries gets another digest too. Throws
 * `PLATFORM_MISSING`.
 */
export async function choosePlatforms(manifest: Manifest, choice: PlatformChoice): Promise<ChosenImage> {
  const { platforms, about } = choice;
  if (platforms.length === 0 || manifest.kind === 'image' || listsBlobs(manifest)) {
    return { manifest, parts: NOTHING };
  }
  const offered = new Set<string>();
  const chosen = await chooseEntries(manifest, choice, { offered, known: new Set(), depth: 0 });
  if (chosen !== undefined) return chosen;
  throw new Failure({
    code: 'PLATFORM_MISSING',
    about,
    message: `it does not exist for ${platforms.map(formatPlatform).join(', ')}`,
    hint: `it offers ${[...offered].join(', ') || 'no platform by name'}; see --platform and "patches"`,
  });
}

/** What was found so far in an image. */
interface Sight {
  readonly offered: Set<string>;
  readonly known: Set<Digest>;
  readonly depth: number;
}

/** Returns an index of the entries for the wanted platforms; undefined if it has none. Notes what is offered. */
async function chooseEntries(
  index: Index,
  choice: PlatformChoice,
  sight: Sight,
): Promise<ChosenImage | undefined> {
  const { platforms, fetch, about } = choice;
  const { offered, known, depth } = sight;
  const nestedIndexes = index.manifests.filter(isNestedIndex);
  requireReasonable({ ...index, manifests: nestedIndexes }, depth, known, about);
  for (const { digest } of nestedIndexes) known.add(digest);
  const kept = new Map<Descriptor, Pick<Descriptor, 'digest' | 'size'>>();
  const parts = new Map<Digest, Manifest>();
  for (const entry of index.manifests) {
    const { platform, digest } = entry;
    if (platform !== undefined) {
      if (platform.os !== 'unknown') offered.add(formatPlatform(platform));
      if (platforms.some((wanted) => matchesPlatform(platform, wanted))) kept.set(entry, entry);
      continue;
    }
    if (!isNestedIndex(entry)) continue;
    const nested = await fetch(digest);
    const inner =
      nested.kind === 'index'
        ? await chooseEntries(nested, choice, { ...sight, depth: depth + 1 })
        : undefined;
    if (inner === undefined) continue;
    kept.set(entry, { digest: inner.manifest.digest, size: inner.manifest.bytes.length });
    for (const part of [inner.manifest, ...inner.parts.values()]) {
      if (part.digest !== digest) parts.set(part.digest, part);
    }
  }
  if (kept.size === 0) return undefined;
  const digests = new Set<string>([...kept.keys()].map(({ digest }) => digest));
  for (const entry of index.manifests) {
    if (digests.has(entry.annotations?.[ATTESTED_DIGEST] ?? '')) kept.set(entry, entry);
  }
  return { manifest: rewriteEntries(index, kept, about), parts };
}
