import { expect, test } from 'vitest';
import { countOf, joinWords } from '../../src/lib/text/sentence.ts';

test.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a and b'],
  [['a', 'b', 'c'], 'a, b and c'],
])('joinWords(%j) is "%s"', (words, expected) => {
  expect(joinWords(words)).toBe(expected);
});

test.each([
  [0, '0 images'],
  [1, '1 image'],
  [12_345, '12,345 images'],
])('countOf(%i) is "%s"', (count, expected) => {
  expect(countOf(count, 'image')).toBe(expected);
});

test('alternatives are joined by "or"', () => {
  expect(joinWords(['a', 'b', 'c'], 'or')).toBe('a, b or c');
});
