import { z } from 'zod';

const lockShape = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      // Some old packages list several licences, any of which may be chosen.
      license: z.union([z.string(), z.array(z.string()).transform((all) => all.join(' OR '))]).optional(),
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
      link: z.boolean().optional(),
    }),
  ),
});

/** A package that the bundles may contain, as package-lock.json names it. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
}

/** The licences of packages that do not state them where npm looks. */
const LICENCES_OF_SILENT: ReadonlyMap<string, string> = new Map([
  // It is stated in LICENSE.MIT.
  ['crc32@0.2.2', 'MIT'],
  // It is stated nowhere. @actions/artifact needs the package to unpack downloads, which keel-pkg never does.
  ['buffers@0.1.1', 'none stated'],
]);

/** Returns the packages that the tools and actions may contain: all but those for development, once each. */
export function bundledPackages(lock: string): BundledPackage[] {
  const { packages } = lockShape.parse(JSON.parse(lock));
  const found = new Map<string, BundledPackage>();
  for (const [path, { version = '', license, dev, optional, link }] of Object.entries(packages)) {
    const name = path.split('node_modules/').at(-1) ?? '';
    if (name === '' || dev === true || optional === true || link === true) continue;
    const id = `${name}@${version}`;
    found.set(id, { name, version, licence: licenceOf(id, license) });
  }
  return [...found.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** Returns the licence of `name@version` as an SPDX expression without brackets, from its package.json. */
export function licenceOf(id: string, told = ''): string {
  const licence = told === '' ? (LICENCES_OF_SILENT.get(id) ?? 'unknown') : told;
  return licence.replace(/^\((.*)\)$/, '$1');
}
