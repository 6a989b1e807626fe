import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CNI_PLUGINS } from '../../src/config/cni-plugin.ts';
import { kubeadmMinors } from '../../src/config/kubernetes/kubeadm-tags.ts';
import { PACK_FLAGS } from '../../src/pack/flags.ts';
import { PUSH_FLAGS } from '../../src/publish/flags.ts';
import { CHECK_FLAGS } from '../../src/sync/check/check-flags.ts';
import { SYNC_FLAGS } from '../../src/sync/flags.ts';

const FLAGS = new Set<string>(
  [...SYNC_FLAGS, ...CHECK_FLAGS, ...PACK_FLAGS, ...PUSH_FLAGS].map(({ name }) => name),
);
const OF_INSTALL = new Set(
  [...readFileSync('package/install/options.sh', 'utf8').matchAll(/--([a-z-]+)/g)].map(([, name]) => name),
);
const OF_BENCH = new Set(flagsIn(readFileSync('bench/run.ts', 'utf8')));
const ALWAYS = new Set(['help', 'version']);
/** A flag of metrics-server, which stands in what packer writes. */
const OF_ADDONS = new Set(['kubelet-insecure-tls']);
/** Flags of theirs are no business of ours. */
const OTHER_PROGRAMS = /^(?:skopeo|crane|kubeadm) /;

function flagsIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map(([, name = '']) => name);
}

test.each(globSync('{README.md,docs/*.md,bench/README.md,action-*/README.md}'))(
  '%s names only flags that exist',
  (page) => {
    const inline = [
      ...readFileSync(page, 'utf8')
        .replaceAll(/^```[\s\S]*?^```$/gm, '')
        .matchAll(/`([^`\n]+)`/g),
    ];
    const ours = inline.filter(([, text = '']) => !OTHER_PROGRAMS.test(text));
    const named = ours.flatMap(([, text = '']) => flagsIn(text));
    const known = [FLAGS, OF_INSTALL, OF_ADDONS, ALWAYS, ...(page === 'bench/README.md' ? [OF_BENCH] : [])];
    expect(named.filter((name) => !known.some((flags) => flags.has(name)))).toEqual([]);
  },
);

test.each([
  ['## synctl sync', SYNC_FLAGS],
  ['## packer', PACK_FLAGS],
  ['## packer push', PUSH_FLAGS],
] as const)('migration: what stands under %s are its flags, with their letters', (heading, table) => {
  const page = readFileSync('docs/migration.md', 'utf8');
  const section = page.slice(page.indexOf(`${heading}\n`) + heading.length).split('\n## ')[0] ?? '';
  const cells = section.split('\n').flatMap((line) => /^\| (`-.*?) \|/.exec(line)?.[1] ?? []);
  expect(cells.length).toBeGreaterThan(3);
  const names = new Set<string>(table.map(({ name }) => name));
  const letters = new Set(table.flatMap((flag) => ('short' in flag ? [flag.short] : [])));
  for (const cell of cells) {
    for (const name of flagsIn(cell)) expect(names).toContain(name);
    for (const [, letter] of cell.matchAll(/`-([a-z])`/g)) expect(letters).toContain(letter);
  }
});

test('how-sync-decides tells every reason there is, in the order in which they are tried', () => {
  const source = readFileSync('src/sync/plan/decision.ts', 'utf8');
  const page = readFileSync('docs/how-sync-decides.md', 'utf8');
  const tried = [...source.matchAll(/return decision\('(\w+)', '([A-Z_]+)'/g)].map(
    ([, action, code]) => `${action} ${code}`,
  );
  const told = [...page.matchAll(/^\| .*? \| (copy|check|skip)\b.*? \| `([A-Z_]+)` \|$/gm)].map(
    ([, action, code]) => `${action} ${code}`,
  );
  expect(told).toEqual(tried);
});

test('image-set tells which kubeadm and which network plugins are known', () => {
  const page = readFileSync('docs/image-set.md', 'utf8');
  const { oldest, newest } = kubeadmMinors();
  expect(page).toContain(`kubeadm 1.${oldest} to 1.${newest}`);
  expect(page).toContain(CNI_PLUGINS.map((name) => `\`${name}\``).join(', '));
});
