import { expect, test } from 'vitest';
import { maskPassword, maskToken } from '../../src/actions/secrets.ts';
import { findSecrets } from '../support/secret-search.ts';

function masksOf(username: string | undefined, password: string): string[] {
  const masks: string[] = [];
  maskPassword(username, password, (text) => masks.push(text));
  return masks;
}

test('a password is hidden in each form in which it travels, the user name is not', () => {
  const password = 'p@ss?>~ w/rd';
  const masks = masksOf('robot', password);
  const pair = Buffer.from(`robot:${password}`);
  expect(masks).toEqual(
    expect.arrayContaining([
      password,
      'p%40ss%3F%3E~%20w%2Frd',
      'p%40ss%3F%3E%7E+w%2Frd',
      Buffer.from(password).toString('base64'),
      Buffer.from(password).toString('base64url'),
      pair.toString('base64'),
      pair.toString('base64').replaceAll('=', ''),
      pair.toString('base64url'),
      encodeURIComponent(pair.toString('base64')),
    ]),
  );
  expect(masks).not.toContain('robot');
  expect(new Set(masks).size).toBe(masks.length);
});

test.each(['a', 'ab', 'abc'].map((tail) => [`secret${tail}`]))(
  'nothing of %s is left once every form is hidden',
  (password) => {
    const masks = masksOf('robot', password).toSorted((one, other) => other.length - one.length);
    const shown = [password, `robot:${password}`].flatMap((text) => {
      const bytes = Buffer.from(text);
      const base64 = bytes.toString('base64');
      return [base64, base64.replaceAll('=', ''), bytes.toString('base64url'), encodeURIComponent(base64)];
    });
    const left = masks.reduce((text, mask) => text.replaceAll(mask, '***'), shown.join(' '));
    expect(findSecrets('what is left', left, { password })).toEqual([]);
  },
);

test('each line of a password is hidden, and nothing empty', () => {
  expect(masksOf(undefined, 'one\n\ntwo')).toEqual(expect.arrayContaining(['one\n\ntwo', 'one', 'two']));
  expect(masksOf(undefined, '')).toEqual([]);
});

test('tokens are hidden', () => {
  const masks: string[] = [];
  for (const token of ['eyJ.a.b', '']) maskToken(token, (text) => masks.push(text));
  expect(masks).toEqual(['eyJ.a.b']);
});
