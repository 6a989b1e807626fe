import type { ImageSet } from '../../config/image-set.ts';
import { destinationRepository } from '../../config/mirror-naming.ts';
import { Failure } from '../../lib/failure.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import { patchFor } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import { inShard } from '../shard.ts';
import type { FoundRepository } from './discovery.ts';

/** A destination repository, and all source repositories that are mirrored to it. */
export interface RepositoryGroup {
  readonly repository: Repository;
  readonly members: readonly FoundRepository[];
}

/** A source repository that cannot have a name at the destination. */
interface NamelessRepository {
  readonly found: FoundRepository;
  readonly failure: Failure;
}

/** The destinations of what was found. */
export interface Grouping {
  readonly groups: readonly RepositoryGroup[];
  /** Sources that cannot have a name at the destination, and therefore are in no group. */
  readonly nameless: readonly NamelessRepository[];
}

/**
 * Returns the destination repositories of a shard, each with its sources. Sources whose names collide are in one group,
 * and therefore in one shard.
 */
export function groupByDestination(
  found: readonly FoundRepository[],
  set: ImageSet,
  settings: Pick<SyncSettings, 'destination' | 'naming' | 'namespace' | 'shard'>,
): Grouping {
  const { destination: host, shard } = settings;
  const groups = new Map<Repository, FoundRepository[]>();
  const nameless: NamelessRepository[] = [];
  for (const member of found) {
    const source = { host: member.registry.host, repository: member.repository };
    const patchName = patchFor(set, member.name)?.name;
    try {
      const repository = destinationRepository(settings, source, { patchName, host });
      const members = groups.get(repository) ?? [];
      groups.set(repository, members);
      members.push(member);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (inShard(shard, member.repository)) nameless.push({ found: member, failure });
    }
  }
  const inThisShard = [...groups].filter(([repository]) => inShard(shard, repository));
  return { groups: inThisShard.map(([repository, members]) => ({ repository, members })), nameless };
}
