import { Failure } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { type Index, MANIFEST_SIZE_LIMIT } from '../../registry/oci/manifest.ts';

/** Far beyond any real image, which lists some thirty platforms and what is attested of each. */
const CHILDREN_LIMIT = 500;
/** An index in an index is rare, and one more in that is not known. */
const NESTING_LIMIT = 4;
/** Under one tag, however they are nested. */
const MANIFESTS_LIMIT = 1000;

/**
 * Refuses an index that no image has, before anything of it is fetched: a registry that lies must not keep a run busy
 * or fill its memory. `depth` is how many indexes stand around it, `known` all that was met under its tag so far.
 * Throws `INDEX_UNREASONABLE`.
 */
export function requireReasonable(
  index: Index,
  depth: number,
  known: ReadonlySet<Digest>,
  about: string,
): void {
  const { manifests } = index;
  const size = manifests.reduce((sum, entry) => sum + entry.size, 0);
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
