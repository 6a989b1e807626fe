import { expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { extrasOf } from '../../src/sync/select/extras.ts';

test('the extras of a set are joined by repository, in the order of the file', () => {
  const lines = ['{"extras": ["quay.io/a/b:1", "ghcr.io/c:2",', '"quay.io/a/b", "ghcr.io/c:3"]}'];
  const extras = extrasOf(parseImageSet(parseDocument('image_set.json', lines.join('\n'))));
  const told = [...extras.values()].map(({ name, host, repository, tags, listed, places }) => ({
    name,
    address: `${host} ${repository}`,
    tags: [...tags],
    listed,
    lines: places.map(({ line }) => line),
  }));
  expect(told).toEqual([
    { name: 'quay.io/a/b', address: 'quay.io a/b', tags: ['1'], listed: true, lines: [1, 2] },
    { name: 'ghcr.io/c', address: 'ghcr.io c', tags: ['2', '3'], listed: false, lines: [1, 2] },
  ]);
});

test('a set may have none', () => {
  expect(extrasOf(parseImageSet(parseDocument('image_set.json', '{"names": ["pause"]}'))).size).toBe(0);
});
