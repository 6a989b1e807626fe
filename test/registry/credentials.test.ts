import { expect, test } from 'vitest';
import {
  type CredentialLookup,
  explicitCredential,
  loginFor,
  lookupInTurn,
  passwordHeader,
} from '../../src/registry/auth/credentials.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';

const HOST = parseHost('registry.example');
const OTHER = parseHost('other.example');

test('a given login is for its own host only', async () => {
  const lookup = explicitCredential(HOST, 'me', 'hush');
  expect(await lookup(HOST)).toEqual([
    { credential: { kind: 'password', username: 'me', password: 'hush' } },
  ]);
  expect(await lookup(OTHER)).toEqual([]);
});

test.each([
  ['me', undefined],
  [undefined, 'hush'],
  [undefined, undefined],
])('a login of %s with %s is none', async (username, password) => {
  expect(await explicitCredential(HOST, username, password)(HOST)).toEqual([]);
});

test('several are asked in turn until one knows the whole host', async () => {
  const asked: string[] = [];
  const knowing =
    (name: string, host?: string, path?: string): CredentialLookup =>
    async (at) => {
      asked.push(`${name} ${at}`);
      return at === host ? [{ credential: { kind: 'identity-token', token: name }, path }] : [];
    };
  const lookup = lookupInTurn([
    knowing('a'),
    knowing('b', HOST, 'team'),
    knowing('c', HOST),
    knowing('d', OTHER, 'team'),
  ]);
  const found = async (host: typeof HOST) => (await lookup(host)).map(({ credential }) => credential);
  expect(await found(HOST)).toMatchObject([{ token: 'b' }, { token: 'c' }]);
  expect(asked).toEqual([`a ${HOST}`, `b ${HOST}`, `c ${HOST}`]);
  expect(await found(OTHER)).toMatchObject([{ token: 'd' }]);
});

test.each([
  ['team/app', 'app'],
  ['team/app/part', 'app'],
  ['team/application', 'team'],
  ['team', 'team'],
  ['teams/app', 'all'],
  ['other/team/app', 'all'],
  [undefined, 'all'],
])('%s has the login of %s', (repository, expected) => {
  const known = ['team/app', 'team', undefined].map((path) => ({
    credential: { kind: 'identity-token' as const, token: path?.split('/').at(-1) ?? 'all' },
    path,
  }));
  expect(loginFor(known, repository)?.credential).toMatchObject({ token: expected });
  const [, ...narrow] = known.toReversed();
  expect(loginFor(narrow, repository) === undefined).toBe(expected === 'all');
});

// https://www.rfc-editor.org/rfc/rfc7617#section-2
test('a user and a password become a header', () => {
  const secrets: string[] = [];
  const headerOf = (username: string, password: string) =>
    passwordHeader({ kind: 'password', username, password }, (secret) => secrets.push(secret));
  expect(headerOf('Aladdin', 'open sesame')).toBe('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
  expect(headerOf('test', '123£')).toBe('Basic dGVzdDoxMjPCow==');
  expect(secrets.slice(0, 3)).toEqual(['open sesame', 'Aladdin:open sesame', 'QWxhZGRpbjpvcGVuIHNlc2FtZQ==']);
});
