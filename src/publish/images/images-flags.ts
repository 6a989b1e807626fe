import type { Flag } from '../../config/flags/flag.ts';
import type { FlagReader } from '../../config/flags/flag-reader.ts';
import { malformed, oneOf, parseSwitch } from '../../config/flags/flag-value.ts';
import { namingFlag } from '../../config/flags/naming-flag.ts';
import { parsePath } from '../../config/flags/registry-flags.ts';
import { NAMINGS } from '../../config/mirror-naming.ts';
import { withoutTrailing } from '../../lib/text/trailing.ts';
import { type Host, isHostPart, parseHost, type Repository } from '../../registry/oci/reference.ts';
import type { ImagesDestination } from './image-publication.ts';

const GROUP = 'Pushing the images to a registry';

export const IMAGES_FLAGS = [
  {
    name: 'images-to',
    value: 'HOST[/PATH]',
    refusesEmpty: true,
    group: GROUP,
    description:
      'Push the images of the package to this registry, such as a mirror in an isolated network, instead of publishing the package',
  },
  namingFlag(GROUP),
  {
    name: 'username',
    short: 'u',
    value: 'NAME',
    environment: 'KEEL_IMAGES_USERNAME',
    group: GROUP,
    description:
      'User name for the registry of --images-to; without one, packer uses the login stored by docker login or podman login',
  },
  {
    name: 'password',
    short: 'p',
    value: 'SECRET',
    environment: 'KEEL_IMAGES_PASSWORD',
    secret: true,
    user: 'username',
    group: GROUP,
    description: 'Password for the registry of --images-to',
  },
  {
    name: 'password-stdin',
    group: GROUP,
    description: 'Read the password from standard input',
  },
  {
    name: 'dry-run',
    group: GROUP,
    description: 'Print the name that each image would get, and send nothing',
  },
] as const satisfies readonly Flag[];

export type ImagesFlagName = (typeof IMAGES_FLAGS)[number]['name'];

/** Where the images of a package go, and how. */
export interface ImagesSettings {
  readonly destination: ImagesDestination;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly dryRun: boolean;
}

/**
 * Returns where images go; undefined if no flag names a destination, or if a flag is wrong, with the failures in
 * `flags`.
 */
export function readImagesSettings(flags: FlagReader<ImagesFlagName>): ImagesSettings | undefined {
  const place = flags.optional('images-to', parseDestination);
  const naming = flags.required('naming', oneOf(...NAMINGS));
  const username = flags.text('username');
  const password = flags.text('password');
  const dryRun = flags.optional('dry-run', parseSwitch) ?? false;
  if (place === undefined) return undefined;
  if (username !== undefined && password === undefined) {
    const hint = `set ${flags.label('password-stdin')} or the environment variable KEEL_IMAGES_PASSWORD`;
    flags.refuse('username', 'there is a user name but no password', hint);
  }
  if (username === undefined && password !== undefined) {
    flags.refuse('password', 'there is a password but no user name', `set ${flags.label('username')} too`);
  }
  return { destination: { ...place, naming }, username, password, dryRun };
}

/** Returns a registry and a path in it. Without a path, the images are at its root. */
function parseDestination(
  text: string,
  about: string,
): { readonly host: Host; readonly namespace: Repository | undefined } {
  const bare = withoutTrailing(text, '/');
  const slash = bare.indexOf('/');
  const host = slash < 0 ? bare : bare.slice(0, slash);
  // Every other tool would read a name without a dot or a port as a path.
  if (!text.includes('://') && !isHostPart(host)) {
    const hint = 'write one such as registry.example.com/mirror, or harbor:443/mirror';
    throw malformed(about, text, 'does not start with the host of a registry', hint);
  }
  const namespace = slash < 0 || text.includes('://') ? undefined : parsePath(bare.slice(slash + 1), about);
  return { host: parseHost(text.includes('://') ? bare : host, about), namespace };
}
