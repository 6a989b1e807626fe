import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bundledPackages } from '../../scripts/licences.ts';

/** Licences that ask for nothing but that their text comes along, which is in dist/*\/licenses.txt. */
const ALLOWED = new Set([
  'MIT',
  'MIT/X11',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'Apache2',
  'BlueOak-1.0.0',
]);
/** Packages without a licence that are there for want of anything else; each is a debt. */
const EXCEPTIONS = ['buffers'];
/** Packages that name their licence and bring no text of it. */
const WITHOUT_TEXT = [
  '@nodable/entities',
  '@sigstore/verify',
  'binary',
  'buffers',
  'chainsaw',
  'copy-to',
  'isarray',
  'os-name',
  'qiniu',
];

const dependencies = z.record(z.string(), z.string()).default({});
const manifestShape = z.object({
  version: z.string().optional(),
  dependencies,
  devDependencies: dependencies,
  optionalDependencies: dependencies,
  scripts: z.record(z.string(), z.string()).default({}),
});
const lockShape = z.object({
  lockfileVersion: z.number(),
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      link: z.boolean().optional(),
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
});
const LOCK_TEXT = readFileSync('package-lock.json', 'utf8');
const LOCK = lockShape.parse(JSON.parse(LOCK_TEXT));
const PACKAGES = Object.entries(LOCK.packages).filter(([path]) => path !== '');
const MANIFEST = manifestShape.parse(JSON.parse(readFileSync('package.json', 'utf8')));
/** All that may end in a bundle. */
const BUNDLED = PACKAGES.filter(([, { dev, optional, link }]) => !dev && !optional && !link);

describe('package.json', () => {
  test('asks for exact versions, and the lock holds those', () => {
    const wanted = {
      ...MANIFEST.dependencies,
      ...MANIFEST.devDependencies,
      ...MANIFEST.optionalDependencies,
    };
    for (const [name, version] of Object.entries(wanted)) {
      if (version.startsWith('file:')) continue;
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(?:-[\w.]+)?$/);
      expect(LOCK.packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
  });

  test('has no script that npm would run by itself', () => {
    const own = Object.keys(MANIFEST.scripts).filter((name) =>
      /^(?:pre|post)?install$|^prepare|^prepublish/.test(name),
    );
    expect(own).toEqual([]);
  });
});

describe('package-lock.json', () => {
  const fetched = PACKAGES.filter(([path, { link }]) => path.includes('node_modules/') && !link);

  test('holds a SHA-512 sum of everything that is fetched', () => {
    expect(LOCK.lockfileVersion).toBe(3);
    expect(fetched.length).toBeGreaterThan(300);
    const without = fetched.filter(
      ([, { integrity = '' }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity),
    );
    expect(without.map(([path]) => path)).toEqual([]);
  });

  test('holds exact versions, and one sum for each', () => {
    const sums = new Map<string, string>();
    for (const [path, { version = '', integrity = '' }] of fetched) {
      expect(version, path).toMatch(/^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/);
      const id = `${path.split('node_modules/').at(-1)}@${version}`;
      expect(sums.get(id) ?? integrity, id).toBe(integrity);
      sums.set(id, integrity);
    }
  });

  test('names no place to fetch from: the registry is whatever npm is told', () => {
    const placed = PACKAGES.filter(([, { resolved, link }]) => resolved !== undefined && link !== true);
    expect(placed.map(([path]) => path)).toEqual([]);
  });

  test('has nothing that runs a program when it is installed', () => {
    expect(PACKAGES.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
  });
});

describe('what is installed', () => {
  test('is what the lock says, and nothing of what is bundled runs a program when it is installed', () => {
    for (const [path, { version }] of BUNDLED) {
      const manifest = manifestShape.parse(JSON.parse(readFileSync(`${path}/package.json`, 'utf8')));
      expect(manifest.version, path).toBe(version);
      const scripts = Object.keys(manifest.scripts).filter((name) => /^(?:pre|post)?install$/.test(name));
      expect(scripts, path).toEqual([]);
      // npm builds these by itself.
      expect(existsSync(`${path}/binding.gyp`), path).toBe(false);
    }
  });

  test('is installed without running programs, wherever we do it', () => {
    const files = globSync('{Makefile,.ci/run,.github/**/*.yml,scripts/**/*.{ts,js,sh},docs/*.md,*.md}');
    const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n'));
    const commands = lines.filter((line) => /^\s*(?:run: |- run: |\$ )?npm (?:ci|install|i)\b/.test(line));
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.filter((line) => !line.includes('--ignore-scripts'))).toEqual([]);
  });
});

describe('licences', () => {
  const bundled = bundledPackages(LOCK_TEXT);

  test('of all that may be bundled are allowed', () => {
    expect(bundled.length).toBeGreaterThan(200);
    const refused = bundled.filter(
      ({ name, licence }) =>
        !licence.split(/ (?:AND|OR) /).every((part) => ALLOWED.has(part)) && !EXCEPTIONS.includes(name),
    );
    expect(refused).toEqual([]);
  });

  test('with a condition of their own would be noticed', () => {
    const lock = JSON.stringify({
      packages: {
        '': {},
        'node_modules/a': { version: '1.0.0', license: '(MIT OR GPL-3.0)' },
        'node_modules/b': { version: '1.0.0', license: ['MIT', 'Apache2'] },
        'node_modules/c': { version: '1.0.0' },
        'node_modules/d': { version: '1.0.0', license: 'GPL-3.0', dev: true },
      },
    });
    const packages = bundledPackages(lock);
    expect(packages.map(({ name, licence }) => [name, licence])).toEqual([
      ['a', 'MIT OR GPL-3.0'],
      ['b', 'MIT OR Apache2'],
      ['c', 'unknown'],
    ]);
  });

  test('of all that the committed bundles hold come along with them, with their texts', () => {
    const known = new Set(bundled.map(({ name, version }) => `${name} ${version}`));
    const files = globSync('dist/*/licenses.txt');
    expect(files).toHaveLength(2);
    for (const file of files) {
      const entries = readFileSync(file, 'utf8').split(`\n\n${'-'.repeat(80)}\n\n`);
      const ids = entries.map((entry) => entry.slice(0, entry.indexOf('\n')));
      // What ncc adds of its own is a few lines that load modules.
      expect(
        ids.filter((id) => !known.has(id) && !id.startsWith('@vercel/ncc ')),
        file,
      ).toEqual([]);
      for (const name of ['@actions/core', '@actions/http-client', 'zod', 'semver', 're2js', 'agent-base']) {
        expect(ids, file).toContainEqual(expect.stringContaining(`${name} `));
      }
      const silent = entries
        .filter((entry) => entry.includes('brings no text'))
        .map((entry) => entry.split(' ')[0]);
      expect(
        silent.filter((name = '') => !WITHOUT_TEXT.includes(name)),
        file,
      ).toEqual([]);
    }
  });
});

test('what is committed under dist/ is made of text alone', () => {
  const files = execFileSync('git', ['ls-files', 'dist'], { encoding: 'utf8' }).trim().split('\n');
  expect(files.filter((file) => !/\.(?:js|json|txt)$/.test(file))).toEqual([]);
});
