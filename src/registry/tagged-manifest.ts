import { HttpFailure } from '../lib/http/http-failure.ts';
import { type Digest, shortDigest } from './oci/digest.ts';
import { hasDigest, type Manifest } from './oci/manifest.ts';
import type { Repository, Tag } from './oci/reference.ts';
import type { Registry } from './registry.ts';
import { isNotFound } from './registry-failure.ts';

/**
 * Returns the manifest with a digest that a registry reported for a tag. Some registries have it under the tag alone:
 * registry.k8s.io does not find signatures by the digests that it lists. Throws `NOT_FOUND`, also if the tag has another
 * manifest by now.
 */
export async function getTaggedManifest(
  registry: Pick<Registry, 'getManifest' | 'nameOf'>,
  repository: Repository,
  { tag, digest }: { readonly tag: Tag; readonly digest: Digest },
  signal: AbortSignal,
): Promise<Manifest> {
  try {
    return await registry.getManifest(repository, digest, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const tagged = await registry.getManifest(repository, tag, signal);
    if (hasDigest(tagged, digest)) return { ...tagged, digest };
    throw new HttpFailure({
      code: 'NOT_FOUND',
      about: registry.nameOf(repository, tag),
      message: `the registry reports ${shortDigest(digest)} for this tag, but does not have it; the tag has ${shortDigest(tagged.digest)}`,
      hint: 'the tag was moved a moment ago; the next run copies its new content',
      cause: error,
    });
  }
}
