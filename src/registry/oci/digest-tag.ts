import { type Digest, digestHex } from './digest.ts';
import { parseTag, type Tag } from './reference.ts';

/** How many digits of a digest make a tag. */
const SHORT = 12;

/**
 * Returns the tag of an image that is named by its digest alone, `digest-4f1e8a2b9c3d`. Registries delete manifests that
 * have no tag, and tags such as `sha256-…` are those of signatures.
 */
export function digestTag(digest: Digest): Tag {
  return parseTag(`digest-${digestHex(digest).slice(0, SHORT)}`);
}
