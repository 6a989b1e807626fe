import type { FlagReader } from '../../config/flags/flag-reader.ts';
import { malformed, oneOf } from '../../config/flags/flag-value.ts';
import { parseReference, type Reference } from '../../registry/oci/reference.ts';
import type { OpenTarget, TargetFlag, TargetKind } from '../contract/target-kind.ts';
import { RegistryTarget } from './registry-target.ts';

const FLAGS = [
  {
    name: 'dockerhub-username',
    value: 'NAME',
    environment: 'KEEL_DOCKERHUB_USERNAME',
    description:
      'User name for Docker Hub or the other registry; without one, packer uses the login stored by docker login or podman login',
  },
  {
    name: 'dockerhub-password',
    value: 'SECRET',
    environment: 'KEEL_DOCKERHUB_PASSWORD',
    secret: true,
    user: 'dockerhub-username',
    description: 'Password or access token for Docker Hub or the other registry',
  },
  {
    name: 'dockerhub-repository',
    value: 'REPOSITORY',
    refusesEmpty: true,
    defaultNote: 'the user name, then /keel-pkg',
    description: 'Repository that receives the package; include the host unless it is on Docker Hub',
  },
  {
    name: 'dockerhub-form',
    value: 'image|artifact',
    default: 'image',
    description:
      'image: an image that docker can run to copy the package out, if its base, busybox of Docker Hub, can be reached; artifact: an OCI artifact for oras',
  },
] as const satisfies readonly TargetFlag[];

type RegistryFlagName = (typeof FLAGS)[number]['name'];

/** Docker Hub or any other registry. Its word and flags are named after Docker Hub. */
export const REGISTRY: TargetKind<'dockerhub', RegistryFlagName> = {
  word: 'dockerhub',
  direction: 'to a registry',
  group: 'Docker Hub or another registry',
  flags: FLAGS,
  read: readRegistry,
};

const DEFAULT_NAME = 'keel-pkg';
/** A host, with or without a port. As a reference it would be an image of Docker Hub, its port a tag. */
const HOST_ALONE = /^(?:localhost|\[[^/]*\]|[^/:@]*\.[^/:@]*|[^/:@]+(?=:\d))(?::\d*)?\/*$/;
/** Small, and contains `cp`. */
const BASE_IMAGE = parseReference('docker.io/library/busybox:stable');

function readRegistry(flags: FlagReader<RegistryFlagName>): OpenTarget | undefined {
  const username = flags.text('dockerhub-username');
  const password = flags.text('dockerhub-password');
  const form = flags.required('dockerhub-form', oneOf('image', 'artifact'));
  if (username !== undefined && password === undefined) {
    const hint = `set ${flags.label('dockerhub-password')} or KEEL_DOCKERHUB_PASSWORD`;
    flags.refuse('dockerhub-username', 'there is a user name but no password', hint);
  }
  const repository = readRepository(flags, username);
  if (repository === undefined) return undefined;
  const label = (name: RegistryFlagName): string => flags.label(name);
  return async ({ openRegistries, reporter, overwrite }) => {
    const registries = await openRegistries({ host: repository.host, username, password });
    return new RegistryTarget({ registries, repository, form, base: BASE_IMAGE, overwrite, reporter, label });
  };
}

function readRepository(
  flags: FlagReader<RegistryFlagName>,
  username: string | undefined,
): Reference | undefined {
  if (flags.text('dockerhub-repository') !== undefined) {
    return flags.optional('dockerhub-repository', parseRepository);
  }
  if (username !== undefined) {
    const hint = `correct it, or set ${flags.label('dockerhub-repository')}`;
    return flags.optional('dockerhub-username', (name, about) => parseOwnRepository(name, about, hint));
  }
  const hint = 'write one such as me/keel-pkg or registry.example.com/me/keel-pkg';
  flags.refuse('dockerhub-repository', 'a repository is required for publishing to a registry', hint);
  return undefined;
}

/** Returns the usual repository of an account, from its user name. */
function parseOwnRepository(username: string, about: string, hint: string): Reference {
  try {
    return parseRepository(`${username}/${DEFAULT_NAME}`, about);
  } catch {
    throw malformed(about, username, 'cannot be part of a repository name', hint);
  }
}

function parseRepository(text: string, about: string): Reference {
  if (HOST_ALONE.test(text)) {
    const hint = `write one such as ${text.replace(/\/+$/, '')}/me/${DEFAULT_NAME}`;
    throw malformed(about, text, 'is a host without the path of a repository', hint);
  }
  const reference = parseReference(text);
  if (reference.tag === undefined && reference.digest === undefined) return reference;
  throw malformed(
    about,
    text,
    'has a tag or digest',
    'remove it: packer makes the tag from the name of the package',
  );
}
