import type { ImageSet } from '../../config/image-set.ts';
import { Failure } from '../../lib/failure.ts';
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

/** Registries allow names of this length, and many clients count the host with them. */
const NAME_LENGTH_LIMIT = 255;

/**
 * Returns the destination of a source repository: the name of its patch, or else the one that `--naming` makes of its
 * path, below the namespace. The host of the source has no influence. Throws `NAME_TOO_LONG`.
 */
export function destinationRepository(
  naming: SyncSettings['naming'],
  namespace: Repository | undefined,
  source: SourceRepository,
  patchName?: Repository | undefined,
): Repository {
  const name = patchName ?? nameFor(naming, source.repository);
  const whole = namespace === undefined ? name : `${namespace}/${name}`;
  const about = `${source.host}/${source.repository}`;
  if (whole.length > NAME_LENGTH_LIMIT) throw tooLong(about, whole, isShortest(naming, patchName));
  return parseRepository(whole, about);
}

/** Returns whether no other --naming gives a shorter name. */
function isShortest(naming: SyncSettings['naming'], patchName: Repository | undefined): boolean {
  return naming === 'basename' || patchName !== undefined;
}

function tooLong(about: string, name: string, isShort: boolean): Failure<'NAME_TOO_LONG'> {
  return new Failure({
    code: 'NAME_TOO_LONG',
    about,
    message: `its name at the destination has ${name.length} characters, and registries allow ${NAME_LENGTH_LIMIT}`,
    hint: `give it a shorter one with "patches", or use ${isShort ? '' : '--naming basename or '}a shorter --push-ns`,
  });
}

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
  const { destination, naming, namespace, shard } = settings;
  const groups = new Map<Repository, FoundRepository[]>();
  const nameless: NamelessRepository[] = [];
  for (const member of found) {
    const source = { host: member.registry.host, repository: member.repository };
    const patch = patchFor(set, member.name)?.name;
    try {
      const repository = destinationRepository(naming, namespace, source, patch);
      const whole = `${destination}/${repository}`;
      if (whole.length > NAME_LENGTH_LIMIT)
        throw tooLong(`${source.host}/${source.repository}`, whole, isShortest(naming, patch));
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
