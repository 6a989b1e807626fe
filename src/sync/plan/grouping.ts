import type { ImageSet } from '../../config/image-set.ts';
import { describeFailure, Failure } from '../../lib/failure.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import { patchFor } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import { inShard } from '../shard.ts';
import type { FoundRepository } from './discovery.ts';
import { destinationRepository } from './naming.ts';

/** A destination repository and all that is to go there. */
export interface RepositoryGroup {
  readonly repository: Repository;
  readonly members: readonly FoundRepository[];
}

/**
 * Returns the destination repositories of a run's shard, with the sources that meet in each. Names that collide are in
 * one group, and so in one shard. What cannot have a name there is left out, which `warn` is told.
 */
export function groupByDestination(
  found: readonly FoundRepository[],
  set: ImageSet,
  settings: Pick<SyncSettings, 'naming' | 'namespace' | 'shard'>,
  warn: (text: string) => void = () => undefined,
): RepositoryGroup[] {
  const groups = new Map<Repository, FoundRepository[]>();
  for (const member of found) {
    const source = { host: member.registry.host, repository: member.repository };
    const patch = patchFor(set, member.name)?.name;
    try {
      const repository = destinationRepository(settings.naming, settings.namespace, source, patch);
      const members = groups.get(repository) ?? [];
      groups.set(repository, members);
      members.push(member);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      warn(`${member.name} is not mirrored: ${describeFailure(error)}`);
    }
  }
  return [...groups]
    .filter(([repository]) => inShard(settings.shard, repository))
    .map(([repository, members]) => ({ repository, members }));
}
