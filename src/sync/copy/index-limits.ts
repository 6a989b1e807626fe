import { Failure } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { type Index, MANIFEST_SIZE_LIMIT } from '../../registry/oci/manifest.ts';
import { isBlobMediaType } from '../../registry/oci/media-type.ts';

/** Far more than a real image lists: about thirty platforms, and an attestation for each. */
const CHILDREN_LIMIT = 500;
/** An index in an index is rare, and no image has a third level. */
const NESTING_LIMIT = 4;
/** Of one tag, on all levels together. */
const MANIFESTS_LIMIT = 1000;

/**
 * Refuses an index that is larger than that of any image before its contents are fetched, so that a malicious registry
 * cannot keep a run busy or fill its memory. `depth` is the number of indexes around it, `known` are the digests that
 * were found under its tag so far. Throws `INDEX_UNREASONABLE`.
 */
export function requireReasonable(
  index: Index,
  depth: number,
  known: ReadonlySet<Digest>,
  about: string,
): void {
  const { manifests } = index;
  const size = manifests.reduce((sum, entry) => sum + (isBlobMediaType(entry.mediaType) ? 0 : entry.size), 0);
  const fresh = manifests.filter(({ digest }) => !known.has(digest));
  const isReasonable =
    depth < NESTING_LIMIT &&
    manifests.length <= CHILDREN_LIMIT &&
    known.size + fresh.length <= MANIFESTS_LIMIT &&
    size <= MANIFEST_SIZE_LIMIT;
  if (isReasonable) return;
  throw new Failure({
    code: 'INDEX_UNREASONABLE',
    about,
    message: 'its index is nested too deeply or lists too much to be an image',
    hint: 'leave it out with "exclude"; if it is real, please tell us',
  });
}
