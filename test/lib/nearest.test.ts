import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearestName, suggestion } from '../../src/lib/text/nearest.ts';

const KEYS = ['names', 'prefixes', 'exclude', 'extras', 'patches', 'tags'];

test.each<[string, readonly string[], string | undefined]>([
  ['prefixs', KEYS, 'prefixes'],
  ['prefix', KEYS, 'prefixes'],
  ['excludes', KEYS, 'exclude'],
  ['tgas', KEYS, 'tags'],
  ['Names', KEYS, 'names'],
  ['name', KEYS, 'names'],
  ['kube_version', ['kube-version'], 'kube-version'],
  ['kubeVersion', ['kube-version'], 'kube-version'],
  ['zone', KEYS, undefined],
  ['', KEYS, undefined],
  ['x', KEYS, undefined],
  ['x'.repeat(100_000), KEYS, undefined],
  ['names', [], undefined],
])('%s means %s %s', (name, known, nearest) => {
  expect(nearestName(name, known)).toBe(nearest);
});

test('a suggestion is there only where it helps', () => {
  expect(suggestion('tag', KEYS)).toBe('; did you mean "tags"?');
  expect(suggestion('zone', KEYS)).toBe('');
});

test('two neighbours swapped are one mistake, and a known name is nearest to itself', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{6,20}$/), fc.nat(18), (name, at) => {
      const swapped = name.slice(0, at) + (name[at + 1] ?? '') + (name[at] ?? '') + name.slice(at + 2);
      expect(nearestName(name, [name])).toBe(name);
      expect(nearestName(swapped, [name])).toBe(name);
    }),
  );
});
