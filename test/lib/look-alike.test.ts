import { expect, test } from 'vitest';
import { adviseOnLookAlikes, withPlainCharacters, withPlainSpaces } from '../../src/lib/text/look-alike.ts';

test.each([
  ['“pause”', 'it has “ (U+201C): write "pause"'],
  ['v1.36–rc', 'it has – (U+2013): write v1.36-rc'],
  ['pause\u00a0', 'it has a character that looks like a space (U+00A0): write pause'],
  ['pa\u200buse', 'it has a character that looks like nothing (U+200B): write pause'],
  ['pause：3.10', 'it has ： (U+FF1A): write pause:3.10'],
  ['quay．io／a', 'it has ． (U+FF0E): write quay.io/a'],
  ['pause', undefined],
  ['Größe', undefined],
])('of %j it says: %s', (text, advice) => {
  expect(adviseOnLookAlikes(text)).toBe(advice);
});

test('makes the plain text that is meant, and spaces without moving anything', () => {
  expect(withPlainCharacters('｛‘a’：“b”，−1｝')).toBe(`{'a':"b",-1}`);
  const text = '\u00a0{\u3000"a":\u200b1 }';
  expect(withPlainSpaces(text)).toBe(' { "a": 1 }');
});
