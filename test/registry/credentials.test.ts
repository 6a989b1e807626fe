import { expect, test } from 'vitest';
import {
  type CredentialLookup,
  explicitCredential,
  firstCredential,
  passwordHeader,
} from '../../src/registry/auth/credentials.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';

const HOST = parseHost('registry.example');
const OTHER = parseHost('other.example');

test('a given login is for its own host only', async () => {
  const lookup = explicitCredential(HOST, 'me', 'hush');
  expect(await lookup(HOST)).toEqual({ kind: 'password', username: 'me', password: 'hush' });
  expect(await lookup(OTHER)).toBeUndefined();
});

test.each([
  ['me', undefined],
  [undefined, 'hush'],
  [undefined, undefined],
])('a login of %s with %s is none', async (username, password) => {
  expect(await explicitCredential(HOST, username, password)(HOST)).toBeUndefined();
});

test('several are asked in turn until one knows, once for each host', async () => {
  const asked: string[] = [];
  const knowing =
    (name: string, host?: string): CredentialLookup =>
    async (at) => {
      asked.push(`${name} ${at}`);
      return at === host ? { kind: 'identity-token', token: name } : undefined;
    };
  const lookup = firstCredential([knowing('a'), knowing('b', HOST), knowing('c', OTHER)]);
  expect(await Promise.all([lookup(HOST), lookup(HOST), lookup(OTHER)])).toEqual([
    { kind: 'identity-token', token: 'b' },
    { kind: 'identity-token', token: 'b' },
    { kind: 'identity-token', token: 'c' },
  ]);
  expect(asked.toSorted()).toEqual(
    [`a ${HOST}`, `b ${HOST}`, `a ${OTHER}`, `b ${OTHER}`, `c ${OTHER}`].toSorted(),
  );
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
