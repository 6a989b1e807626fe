import { z } from 'zod';
import { parseJson } from '../../lib/json.ts';
import { TEXT_FIELD } from '../../lib/zero-value.ts';
import {
  type Descriptor,
  type Image,
  type Index,
  type Manifest,
  parseManifest,
} from '../../registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import { formatPlatform, normalizePlatform, type Platform } from '../../registry/oci/platform.ts';

const platformShape = z.object({
  os: z.string().min(1),
  architecture: z.string().min(1),
  variant: TEXT_FIELD.catch(undefined),
});

/** Returns the platform in the configuration of an image; undefined if it contains none. */
export function platformOfConfig(config: Buffer): Platform | undefined {
  const read = platformShape.safeParse(parseJson(config)).data;
  return read && normalizePlatform(read);
}

/** What a tag holds, and for which platform if it is one image. */
export type TaggedImage =
  | { readonly manifest: Index }
  | { readonly manifest: Image; readonly platform: Platform | undefined };

/**
 * What to do with a tag that holds something other than the image to push: it lists the image already, gets an index
 * with both, or has another image for the same platform, which packer replaces only if the user allows it.
 */
type PlatformUnion =
  | { readonly kind: 'listed' }
  | { readonly kind: 'joined'; readonly index: Manifest; readonly beside: readonly string[] }
  | { readonly kind: 'taken' };

/**
 * Returns what to do with a tag if an image for one platform is pushed to it. A package contains images of one
 * platform, and a mirror may have others under the same tag: those of another package, or an index with all of them.
 */
export function joinPlatforms(
  there: TaggedImage,
  own: { readonly manifest: Image; readonly platform: Platform | undefined },
  { about, replaces }: { readonly about: string; readonly replaces: boolean },
): PlatformUnion {
  const { manifest, platform } = own;
  const entries = entriesOf(there);
  if (entries?.some(({ digest }) => digest === manifest.digest) === true) return { kind: 'listed' };
  if (platform === undefined || entries === undefined) return { kind: 'taken' };
  const isOwn = (entry: Descriptor): boolean =>
    entry.platform !== undefined && formatPlatform(entry.platform) === formatPlatform(platform);
  if (entries.some(isOwn) && !replaces) return { kind: 'taken' };
  const kept = entries.filter((entry) => !isOwn(entry));
  // Only one image is left: the tag leads to it, as it would if nothing had been there.
  if (kept.length === 0) return { kind: 'taken' };
  const added = {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.bytes.length,
    platform,
  };
  const manifests = [...kept, added].map(plainDescriptor);
  const isDocker = manifests.every(({ mediaType }) => mediaType === MEDIA_TYPE.dockerManifest);
  const mediaType = isDocker ? MEDIA_TYPE.dockerList : MEDIA_TYPE.ociIndex;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  const beside = kept.flatMap(({ platform: other }) =>
    other === undefined || other.os === 'unknown' ? [] : [formatPlatform(other)],
  );
  return { kind: 'joined', index: parseManifest(bytes, mediaType, about), beside };
}

/** Returns what an index of a tag would list; undefined for an image that states no platform. */
function entriesOf(there: TaggedImage): readonly Descriptor[] | undefined {
  if (!('platform' in there)) return there.manifest.manifests;
  const { manifest, platform } = there;
  const { mediaType, digest, bytes } = manifest;
  return platform === undefined ? undefined : [{ mediaType, digest, size: bytes.length, platform }];
}

function plainDescriptor({ mediaType, digest, size, platform, annotations, urls }: Descriptor) {
  const { osVersion, ...named } = platform ?? {};
  const told = platform === undefined ? undefined : { ...named, 'os.version': osVersion };
  return { mediaType, digest, size, platform: told, annotations, urls };
}
