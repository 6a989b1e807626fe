import { expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { unmatched } from '../../src/sync/select/unmatched.ts';

test('what no image was found for is told with its kind and its place', () => {
  const content = JSON.stringify({
    names: ['kube-proxy', 'gone'],
    prefixes: ['sig-storage/', 'none/', 'only-arm'],
    exclude: ['-arm'],
    extras: ['ghcr.io/a/b', 'ghcr.io/c/d'],
    patches: [
      { match: 'kube-proxy', name: 'p' },
      { match: 'typo', name: 't' },
      { match: 'ghcr.io/a/b', name: 'b' },
    ],
  });
  const set = parseImageSet(parseDocument('image_set.json', content));
  const found = new Map(
    ['kube-proxy', 'sig-storage/nfs', 'only-arm64', 'ghcr.io/a/b'].map((name) => [name, []]),
  );
  expect(unmatched(set, found).map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'name gone',
    'prefix none/',
    'prefix only-arm',
    'extra ghcr.io/c/d',
    'patch typo',
  ]);
  expect(unmatched(set, found)[0]?.place).toEqual({ file: 'image_set.json', line: 1, column: 24 });
});

test('a name is told once, and not at all where it could not be asked for', () => {
  const content = JSON.stringify({
    kubernetes: ['1.36.2'],
    names: ['gone'],
    extras: ['down.example/a'],
    patches: [
      { match: 'gone', name: 'g' },
      { match: 'down.example/a', name: 'a' },
    ],
  });
  const set = parseImageSet(parseDocument('image_set.json', content));
  const unlisted = new Set(['down.example/a', 'kube-proxy']);
  expect(unmatched(set, new Map(), { unlisted }).map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'name gone',
  ]);
  expect(unmatched(set, new Map()).map(({ text }) => text)).toEqual(['1.36.2', 'gone', 'down.example/a']);
});
