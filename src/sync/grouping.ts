import type { ImageSet } from '../config/image-set.ts';
import type { Repository } from '../registry/reference.ts';
import type { FoundRepository } from './discovery.ts';
import { destinationRepository } from './naming.ts';
import { patchFor } from './selection.ts';
import type { SyncSettings } from './settings.ts';
import { inShard } from './shard.ts';

/** A destination repository and all that is to go there. */
export interface RepositoryGroup {
  readonly repository: Repository;
  readonly members: readonly FoundRepository[];
}

/**
 * Gives the destination repositories of a run's shard, with the sources that meet in each. Names that collide are in
 * one group, and so in one shard.
 */
export function groupByDestination(
  found: readonly FoundRepository[],
  set: ImageSet,
  settings: Pick<SyncSettings, 'naming' | 'namespace' | 'shard'>,
): RepositoryGroup[] {
  const groups = new Map<Repository, FoundRepository[]>();
  for (const member of found) {
    const source = { host: member.registry.host, repository: member.repository };
    const patch = patchFor(set, member.name)?.name;
    const repository = destinationRepository(settings.naming, settings.namespace, source, patch);
    groups.set(repository, [...(groups.get(repository) ?? []), member]);
  }
  return [...groups]
    .filter(([repository]) => inShard(settings.shard, repository))
    .map(([repository, members]) => ({ repository, members }));
}
