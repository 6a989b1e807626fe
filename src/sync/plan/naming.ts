import type { ImageSet } from '../../config/image-set.ts';
import { describeFailure, Failure } from '../../lib/failure.ts';
import { type Host, parseRepository, type Repository } from '../../registry/oci/reference.ts';
import { patchFor } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import { inShard } from '../shard.ts';
import type { FoundRepository } from './discovery.ts';

/** A repository of a source registry. */
interface SourceRepository {
  readonly host: Host;
  readonly repository: Repository;
}

/** Returns a repository's path as one component, such as `coredns-coredns`. */
export function dashedName(repository: string): string {
  return repository.replaceAll('/', '-');
}

function nameFor(naming: SyncSettings['naming'], repository: Repository): string {
  switch (naming) {
    case 'basename':
      return repository.slice(repository.lastIndexOf('/') + 1);
    case 'dashed':
      return dashedName(repository);
    case 'path':
      return repository;
  }
}

/**
 * Returns the destination of a source repository: the name of its patch, or else the one that `--naming` makes of its
 * path, below the namespace. The host of the source has no influence. Throws `REFERENCE_MALFORMED` if it is too long.
 */
export function destinationRepository(
  naming: SyncSettings['naming'],
  namespace: Repository | undefined,
  source: SourceRepository,
  patchName?: Repository | undefined,
): Repository {
  const name = patchName ?? nameFor(naming, source.repository);
  return parseRepository(
    namespace === undefined ? name : `${namespace}/${name}`,
    `${source.host}/${source.repository}`,
  );
}

/** A destination repository, and all source repositories that are mirrored to it. */
export interface RepositoryGroup {
  readonly repository: Repository;
  readonly members: readonly FoundRepository[];
}

/** The destinations of what was found. */
export interface Grouping {
  readonly groups: readonly RepositoryGroup[];
  /** A warning for each source that cannot have a name at the destination, and therefore is in no group. */
  readonly warnings: readonly string[];
}

/**
 * Returns the destination repositories of a shard, each with its sources. Sources whose names collide are in one group,
 * and therefore in one shard.
 */
export function groupByDestination(
  found: readonly FoundRepository[],
  set: ImageSet,
  settings: Pick<SyncSettings, 'naming' | 'namespace' | 'shard'>,
): Grouping {
  const groups = new Map<Repository, FoundRepository[]>();
  const warnings: string[] = [];
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
      warnings.push(`${member.name} is not mirrored: ${describeFailure(error)}`);
    }
  }
  const inThisShard = [...groups].filter(([repository]) => inShard(settings.shard, repository));
  return { groups: inThisShard.map(([repository, members]) => ({ repository, members })), warnings };
}
