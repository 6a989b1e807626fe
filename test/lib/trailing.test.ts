import { expect, test } from 'vitest';
import { withoutTrailing } from '../../src/lib/text/trailing.ts';

test.each([
  ['', '/', ''],
  ['a', '/', 'a'],
  ['a/', '/', 'a'],
  ['a//', '/', 'a'],
  ['/a/b/', '/', '/a/b'],
  ['///', '/', ''],
  ['a.', '/', 'a.'],
])('%j without %j at its end is %j', (text, character, expected) => {
  expect(withoutTrailing(text, character)).toBe(expected);
});
