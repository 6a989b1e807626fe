import { expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { extrasOf } from '../../src/sync/select/extras.ts';

function extras(...names: readonly string[]) {
  const text = JSON.stringify({ extras: names }, undefined, 1);
  const found = extrasOf(parseImageSet(parseDocument('image_set.json', text)));
  return [...found.values()].map(({ name, tags, listed, places }) => ({
    name,
    tags: [...tags],
    listed,
    lines: places.map(({ line }) => line),
  }));
}

test('extras of one repository are one, with all that is wanted of it and where that stands', () => {
  expect(extras('quay.io/a:v1', 'ghcr.io/b', 'quay.io/a:v2', 'quay.io/a:v1')).toEqual([
    { name: 'quay.io/a', tags: ['v1', 'v2'], listed: false, lines: [3, 5, 6] },
    { name: 'ghcr.io/b', tags: [], listed: true, lines: [4] },
  ]);
});

test.each([[['quay.io/a', 'quay.io/a:v1']], [['quay.io/a:v1', 'quay.io/a']]])(
  '%j wants a tag and what the filters let through',
  (names) => {
    expect(extras(...names)).toMatchObject([{ name: 'quay.io/a', tags: ['v1'], listed: true }]);
  },
);

test('the same path at another host is another repository', () => {
  expect(extras('quay.io/a:v1', 'ghcr.io/a:v1').map(({ name }) => name)).toEqual(['quay.io/a', 'ghcr.io/a']);
});
