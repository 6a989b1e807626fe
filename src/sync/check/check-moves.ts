import type { ImageSet } from '../../config/image-set.ts';
import { movedTagsRule } from '../../config/moved-tags.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import type { Reference, Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { getTaggedManifest } from '../../registry/tagged-manifest.ts';
import { keeps, MoveSearch } from '../copy/tag-move.ts';
import type { SourceVerification } from '../plan/source-verification.ts';
import type { ReportedMove } from '../report/report.ts';
import type { SyncSettings } from '../settings.ts';
import type { TagFacts } from './mirror-verdict.ts';

/** Both sides of a checked image, and what the search for moves needs. */
interface MoveSides {
  readonly source: Registry;
  readonly target: Registry;
  readonly image: Reference;
  /** At the destination. */
  readonly repository: Repository;
  readonly platforms: readonly Platform[];
  readonly set: ImageSet;
  readonly settings: Pick<SyncSettings, 'movedTags'>;
  readonly verification: SourceVerification | undefined;
  readonly signal: AbortSignal;
}

/**
 * Returns how a tag moved, and whether a run leaves the destination unchanged; undefined if it did not move, or if the
 * move is not reported.
 */
export async function checkMove(
  sides: MoveSides,
  tag: Tag,
  { source: here, destination: there, expected, recorded }: TagFacts,
): Promise<ReportedMove | undefined> {
  if (here.kind !== 'there') return undefined;
  const { source: registry, target, verification, signal, platforms } = sides;
  const name = { host: registry.host, repository: sides.image.repository, tag };
  const image = {
    source: { registry, repository: sides.image.repository, tag },
    target: { repository: sides.repository, tag },
    platforms,
    recorded,
    uploaded: here.uploaded,
    ifMoved: movedTagsRule(sides.set.movedTags, name, sides.settings.movedTags),
  };
  const search = new MoveSearch({
    target,
    verification,
    fetchImage: (from, digest) => getTaggedManifest(from.registry, from.repository, { tag, digest }, signal),
    fetch: (place, digest) => place.registry.getManifest(place.repository, digest, signal),
    signal,
  });
  const present = there.kind === 'there' ? there.digest : undefined;
  const isThere = present !== undefined && present === expected;
  const move = await search.find(image, here.digest, isThere ? here.digest : present);
  if (move === undefined) return undefined;
  const verdict = await verification?.judge(image, here.digest);
  return await search.describe(image, move, {
    digest: here.digest,
    verdict,
    isKept: keeps(image, move) && !isThere,
  });
}
