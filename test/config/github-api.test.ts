import { expect, it } from 'vitest';
import { githubAuthorization } from '../../src/config/github-api.ts';

it.each([
  ['https://api.github.com/repos/a/b/releases/latest', 'Bearer a-token'],
  ['https://github.com/a/b/releases/latest', undefined],
  ['https://api.github.com.example.com/', undefined],
  ['http://api.github.com/', undefined],
  ['https://api.github.com:8443/', undefined],
  ['https://raw.githubusercontent.com/a/b/main/c', undefined],
])('a token of github.com goes to %s: %s', (address, header) => {
  expect(githubAuthorization('a-token')(new URL(address))).toBe(header);
});

it('nothing goes anywhere without a token', () => {
  expect(githubAuthorization(undefined)(new URL('https://api.github.com/'))).toBeUndefined();
});
