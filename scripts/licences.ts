import { z } from 'zod';

const lockShape = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      // Some old packages list several, of which one may choose.
      license: z.union([z.string(), z.array(z.string()).transform((all) => all.join(' OR '))]).optional(),
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
      link: z.boolean().optional(),
    }),
  ),
});

/** A package that may be within the bundles, as package-lock.json names it. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
}

/** Of packages that do not say it where npm looks. */
const LICENCES_OF_SILENT: ReadonlyMap<string, string> = new Map([
  // In its file LICENSE.MIT.
  ['crc32@0.2.2', 'MIT'],
  // Nowhere at all; @actions/artifact needs it to unpack what it downloads, which we never do.
  ['buffers@0.1.1', 'none stated'],
]);

/** Returns the packages that the tools and actions may be made of: all but those for development, once each. */
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

/** Returns the licence of `name@version` as an SPDX expression without brackets, from what its package.json says. */
export function licenceOf(id: string, told = ''): string {
  const licence = told === '' ? (LICENCES_OF_SILENT.get(id) ?? 'unknown') : told;
  return licence.replace(/^\((.*)\)$/, '$1');
}
