import { Failure } from '../lib/failure.ts';
import { type Host, parseRepository, type Repository } from '../registry/oci/reference.ts';

/** How a mirror names its repositories, by the paths of their sources. */
export const NAMINGS = ['basename', 'dashed', 'path'] as const;

export type Naming = (typeof NAMINGS)[number];

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

/** Registries allow names of this length. Many clients include the host in the length. */
const NAME_LENGTH_LIMIT = 255;

/** Where a mirror is, and how it names its repositories. */
interface MirrorNaming {
  readonly naming: Naming;
  readonly namespace: Repository | undefined;
}

/**
 * Returns the destination of a source repository, below the namespace: the name from its patch, or else the one that the
 * naming makes of its path. The host of the source has no influence. With `host`, the length includes the host of the
 * destination. Throws `NAME_TOO_LONG`.
 */
export function destinationRepository(
  { naming, namespace }: MirrorNaming,
  source: SourceRepository,
  { patchName, host }: { readonly patchName?: Repository | undefined; readonly host?: Host | undefined } = {},
): Repository {
  const name = patchName ?? nameFor(naming, source.repository);
  const path = namespace === undefined ? name : `${namespace}/${name}`;
  const about = `${source.host}/${source.repository}`;
  for (const whole of host === undefined ? [path] : [path, `${host}/${path}`]) {
    // No other naming makes a shorter name than a basename or a patch.
    if (whole.length > NAME_LENGTH_LIMIT)
      throw tooLong(about, whole, naming === 'basename' || patchName !== undefined);
  }
  return parseRepository(path, about);
}

function tooLong(about: string, name: string, isShort: boolean): Failure<'NAME_TOO_LONG'> {
  return new Failure({
    code: 'NAME_TOO_LONG',
    about,
    message: `its name at the destination has ${name.length} characters, but registries allow ${NAME_LENGTH_LIMIT}`,
    hint: `set a shorter one with "patches", or use ${isShort ? '' : '--naming basename or '}a shorter --push-ns`,
  });
}
