import { expect, test } from 'vitest';
import { holderOf } from '../../src/registry/auth/token-holder.ts';

const tokenOf = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

test.each<[string, unknown, unknown, boolean]>([
  [
    'the same, later and for another repository',
    { sub: 'me', exp: 1, jti: 'a' },
    { exp: 2, access: [1], sub: 'me' },
    true,
  ],
  ['nobody', { sub: 'me' }, { sub: '' }, false],
  ['nobody, without a subject', { UserID: 7, Scope: 'a' }, { UserID: -1, Scope: '' }, false],
])('a token is compared with that of %s', (_, one, other, isSame) => {
  expect(holderOf(tokenOf(one)) === holderOf(tokenOf(other))).toBe(isSame);
});

test.each([
  ['no JSON Web Token', 'd1f0c4'],
  ['one of a list', tokenOf([1])],
  ['one that makes no sense', 'a.b.c'],
  ['an empty one', '..'],
])('%s tells nothing', (_, token) => {
  expect(holderOf(token)).toBeUndefined();
});
