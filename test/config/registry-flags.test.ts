import { describe, expect, test } from 'vitest';
import { FlagReader } from '../../src/config/flags/flag-reader.ts';
import {
  hostParser,
  parsePath,
  readLimits,
  readNamespace,
  refuseHalfLogin,
} from '../../src/config/flags/registry-flags.ts';

const FLAGS = [
  { name: 'push-ns', value: 'PATH', default: 'keel', group: 'Where', description: 'Namespace' },
  { name: 'limit', value: 'N', group: 'How', description: 'Transfers' },
  { name: 'query-limit', value: 'N', group: 'How', description: 'Requests' },
  { name: 'username', value: 'NAME', group: 'Login', description: 'Name' },
  { name: 'password', value: 'TEXT', group: 'Login', description: 'Password', secret: true },
] as const;

function open(values: Readonly<Record<string, string>> = {}) {
  return new FlagReader(FLAGS, {
    values: new Map(Object.entries(values)),
    environment: {},
    label: (name) => `--${name}`,
  });
}

test.each([
  ['team/app', 'team/app'],
  ['/team/app', 'team/app'],
  ['team/app/', 'team/app'],
])('%s is the path %s', (text, path) => {
  expect(parsePath(text, '--push-ns')).toBe(path);
});

test.each([
  [{}, 'keel'],
  [{ 'push-ns': '/' }, undefined],
  [{ 'push-ns': '/team/' }, 'team'],
])('%j names the namespace %s', (values, namespace) => {
  expect(readNamespace(open(values), 'push-ns')).toBe(namespace);
});

test('a namespace that is none is kept as wrong', () => {
  const flags = open({ 'push-ns': 'Team' });
  readNamespace(flags, 'push-ns');
  expect(flags.failures).toMatchObject([{ code: 'REFERENCE_MALFORMED' }]);
});

test('the frozen registry of Kubernetes is replaced, with a notice', () => {
  const notices = new Set<string>();
  const parse = hostParser(notices);
  expect([parse('quay.io', '--source'), notices.size]).toEqual(['quay.io', 0]);
  expect(parse('k8s.gcr.io', '--source')).toBe('registry.k8s.io');
  expect([...notices]).toEqual([
    '--source: k8s.gcr.io is frozen and being shut down; registry.k8s.io is used instead',
  ]);
});

test.each([
  [{}, { queryLimit: undefined, limit: undefined }, []],
  [{ limit: '1', 'query-limit': '1000' }, { queryLimit: 1000, limit: 1 }, []],
  [
    { limit: '0', 'query-limit': '1001' },
    { queryLimit: undefined, limit: undefined },
    ['--query-limit', '--limit'],
  ],
])('%j limits requests to %j', (values, limits, wrong) => {
  const flags = open(values);
  expect(readLimits(flags)).toEqual(limits);
  expect(flags.failures.map(({ about }) => about)).toEqual(wrong);
});

describe('a login', () => {
  test.each<[username: string | undefined, password: string | undefined, wrong: readonly object[]]>([
    [undefined, undefined, []],
    ['me', 'hush', []],
    [
      'me',
      undefined,
      [
        {
          about: '--username',
          message: 'there is a user name but no password',
          hint: 'set --password or the environment variable KEEL_PASSWORD',
        },
      ],
    ],
    [
      undefined,
      'hush',
      [
        {
          about: '--password',
          message: 'there is a password but no user name',
          hint: 'set --username too',
        },
      ],
    ],
  ])('of %s with %s', (username, password, wrong) => {
    const flags = open();
    refuseHalfLogin(flags, { username, password });
    expect(flags.failures).toMatchObject(wrong);
    expect(flags.failures).toHaveLength(wrong.length);
  });
});
