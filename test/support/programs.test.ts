import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What every Debian has, and ctr, which comes with containerd. */
const THERE = ['bash', 'dash', 'tar', 'gzip', 'mount', 'unshare', 'ctr'];

/** Returns the programs that the tests ask for by name, before they use them. */
function askedFor(): readonly string[] {
  const asked = globSync('test/**/*.ts').flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const alone = [...text.matchAll(/(?<![\w.])has\('([a-z0-9-]+)'\)/g)].map(([, name = '']) => name);
    const lists = [
      ...text.matchAll(/(?:describeWith|missingPrograms)\(\[([^\]]*)\]/g),
      ...text.matchAll(/describeTrials\(('[^\]]*)\]/g),
    ];
    return [...alone, ...lists.flatMap(([, list = '']) => list.match(/[a-z0-9][a-z0-9-]+/g) ?? [])];
  });
  return [...new Set(asked)];
}

// A machine that happens to have a program hides that nobody installs it: CI then fails on a new one.
test('every program that a test asks for is installed by make test', () => {
  const script = readFileSync('scripts/test-peers.sh', 'utf8');
  const [, installed = ''] = /for program in ([^;$]+)/.exec(script) ?? [];
  const [, named = ''] = /for named in ([^;$]+)/.exec(script) ?? [];
  const ofOtherPackages = named.split(' ').map((pair) => pair.replace(/:.*/, ''));
  const known = [...THERE, ...installed.trim().split(' '), ...ofOtherPackages];
  const asked = askedFor();
  expect(asked).toEqual(expect.arrayContaining(['busybox', 'docker-registry', 'nginx', 'skopeo', 'squid']));
  expect(asked.filter((program) => !known.includes(program))).toEqual([]);
});
