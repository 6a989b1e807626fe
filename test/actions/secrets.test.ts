import { expect, test } from 'vitest';
import { maskPassword, maskToken } from '../../src/actions/secrets.ts';

function masksOf(username: string | undefined, password: string): string[] {
  const masks: string[] = [];
  maskPassword(username, password, (text) => masks.push(text));
  return masks;
}

test('a password is hidden in each form in which it travels, the user name is not', () => {
  const masks = masksOf('robot', 'p@ss w/rd');
  expect(masks).toEqual([
    'p@ss w/rd',
    'p%40ss%20w%2Frd',
    'p%40ss+w%2Frd',
    'cEBzcyB3L3Jk',
    'cm9ib3Q6cEBzcyB3L3Jk',
  ]);
  expect(Buffer.from(masks.at(-1) ?? '', 'base64').toString()).toBe('robot:p@ss w/rd');
});

test('each line of a password is hidden, and nothing empty', () => {
  expect(masksOf(undefined, 'one\n\ntwo')).toEqual(expect.arrayContaining(['one\n\ntwo', 'one', 'two']));
  expect(masksOf(undefined, '')).toEqual([]);
});

test('tokens are hidden', () => {
  const masks: string[] = [];
  for (const token of ['eyJ.a.b', '']) maskToken(token, (text) => masks.push(text));
  expect(masks).toEqual(['eyJ.a.b']);
});
