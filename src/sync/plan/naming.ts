import { type Host, parseRepository, type Repository } from '../../registry/oci/reference.ts';

/** How the name of a repository becomes its name at the destination. */
export type Naming = 'basename' | 'dashed' | 'path';

/** A repository of a source registry. */
interface SourceRepository {
  readonly host: Host;
  readonly repository: Repository;
}

/** Returns a repository's path as one component, such as `coredns-coredns`. */
export function dashedName(repository: string): string {
  return repository.replaceAll('/', '-');
}

function nameFor(naming: Naming, repository: Repository): string {
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
 * Returns the repository at the destination: below the namespace, if there is one, the name that a patch says, else the
 * one that follows from the source's path. The source's host plays no part. Throws `REFERENCE_MALFORMED` when too long.
 */
export function destinationRepository(
  naming: Naming,
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
