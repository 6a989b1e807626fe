import { z } from 'zod';
import { describeFailure, failureCode } from '../../lib/failure.ts';
import { readJson } from '../../lib/json.ts';
import { TEXT_FIELD } from '../../lib/zero-value.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Image, Manifest } from '../../registry/oci/manifest.ts';
import { isManifestMediaType, type ManifestMediaType } from '../../registry/oci/media-type.ts';
import { formatPlatform, normalizePlatform } from '../../registry/oci/platform.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import { readBlob } from '../../registry/small-blob.ts';

/** A registry's answer about a tag. */
export type TagView =
  | {
      readonly kind: 'there';
      readonly digest: Digest;
      readonly uploaded?: Date | undefined;
      /** The format is known if the registry named it, and platforms only if the manifest was fetched. */
      readonly mediaType?: ManifestMediaType | undefined;
      readonly platforms?: readonly string[] | undefined;
    }
  | { readonly kind: 'absent' }
  /** `reason` is the failure as one line. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly code?: string | undefined };

const configurationShape = z.object({
  os: z.string().min(1),
  architecture: z.string().min(1),
  variant: TEXT_FIELD,
});

/** Returns a registry's answer about a tag's digest, from one HEAD request. */
export async function viewDigest(
  registry: Registry,
  repository: Repository,
  name: Tag | Digest,
  signal: AbortSignal,
): Promise<TagView> {
  try {
    const found = await registry.findManifest(repository, name, signal);
    if (found === undefined) return { kind: 'absent' };
    const { digest, mediaType } = found;
    return { kind: 'there', digest, mediaType: isManifestMediaType(mediaType) ? mediaType : undefined };
  } catch (error) {
    return withoutView(error, signal);
  }
}

/** Returns a registry's answer about a tag with its format and platforms, and its manifest. */
export async function viewManifest(
  registry: Registry,
  repository: Repository,
  name: Tag | Digest,
  signal: AbortSignal,
): Promise<{ readonly view: TagView; readonly manifest?: Manifest | undefined }> {
  try {
    const manifest = await registry.getManifest(repository, name, signal);
    const { digest, mediaType } = manifest;
    const platforms =
      manifest.kind === 'image'
        ? await platformOf(registry, repository, manifest, signal)
        : manifest.manifests.flatMap(({ platform }) =>
            platform === undefined ? [] : [formatPlatform(platform)],
          );
    const named = [...new Set(platforms)].filter((platform) => platform !== 'unknown/unknown');
    return { view: { kind: 'there', digest, mediaType, platforms: named }, manifest };
  } catch (error) {
    return { view: withoutView(error, signal) };
  }
}

/** Returns the platform in the configuration of a single image. Empty if the configuration cannot be read. */
async function platformOf(
  registry: Registry,
  repository: Repository,
  image: Image,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const bytes = await readBlob(registry, repository, image.config, signal);
    const { os, architecture, variant } = configurationShape.parse(readJson(bytes));
    return [formatPlatform(normalizePlatform({ os, architecture, variant }))];
  } catch {
    signal.throwIfAborted();
    return [];
  }
}

function withoutView(error: unknown, signal: AbortSignal): TagView {
  signal.throwIfAborted();
  if (isNotFound(error)) return { kind: 'absent' };
  return { kind: 'unknown', reason: describeFailure(error), code: failureCode(error) };
}

/**
 * Throws `UNAUTHORIZED` if the destination refused an answer because there is no login: that concerns the whole check
 * and not one tag.
 */
export async function requireLogin(view: TagView, target: Registry, repository: Repository): Promise<void> {
  if (view.kind === 'unknown' && view.code === 'UNAUTHORIZED') await target.logIn(repository);
}
