import { expect, test } from 'vitest';
import { FlagReader } from '../../src/config/flags/flag-reader.ts';
import type { FlagSource } from '../../src/config/flags/flag-source.ts';
import { parseSwitch } from '../../src/config/flags/flag-value.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';

const FLAGS = [
  { name: 'user', value: 'NAME', environment: 'USER_NAME', group: 'Login', description: 'Name' },
  {
    name: 'key',
    value: 'KEY',
    environment: 'KEY',
    otherEnvironment: 'OTHER_KEY',
    secret: true,
    user: 'user',
    group: 'Login',
    description: 'Key',
  },
  { name: 'place', value: 'PLACE', default: 'here', group: 'Where', description: 'Place' },
] as const;

function open(values: Record<string, string>, environment: FlagSource['environment'] = {}) {
  const secrets: string[] = [];
  const flags = new FlagReader(FLAGS, {
    values: new Map(Object.entries(values)),
    environment,
    label: (name) => `--${name}`,
    onSecret: (secret) => secrets.push(secret),
  });
  return { flags, secrets };
}

test.each([
  [{ key: 'a', place: 'there' }, {}, ['a']],
  [{ key: 'a' }, { KEY: 'b', OTHER_KEY: 'c' }, ['a', 'b', 'c']],
  [{ key: 'a', user: 'me' }, {}, ['a', 'me:a']],
  [{ key: 'a' }, { USER_NAME: 'me' }, ['a', 'me:a']],
  [{}, { KEY: 'b\n' }, ['b\n', 'b']],
  [{ key: ' ', place: 'there' }, {}, []],
])('%j with %j tells %j to be kept secret before a flag is read', (values, environment, expected) => {
  expect(open(values, environment).secrets).toEqual(expected);
});

test.each([
  [{ key: ' a ' }, { KEY: 'b' }, ' a '],
  [{}, { KEY: 'b', OTHER_KEY: 'c' }, 'b'],
  [{}, { KEY: '', OTHER_KEY: 'c' }, 'c'],
  [{}, {}, undefined],
])('the key of %j with %j is %j', (values, environment, expected) => {
  expect(open(values, environment).flags.text('key')).toBe(expected);
});

test('a flag that is left alone has its default, and what it is given without white space', () => {
  expect(open({}).flags.text('place')).toBe('here');
  expect(open({ place: ' there ' }).flags.text('place')).toBe('there');
});

test('a text with characters that someone pasted is refused with the plain form', () => {
  const { flags } = open({ place: '“registry.example”' });
  flags.optional('place', parseHost);
  expect(flags.failures).toMatchObject([
    { about: '--place', hint: 'it has “ (U+201C): write "registry.example"' },
  ]);
});

test('a long login in a value that is quoted in part is not shown', () => {
  const flag = { name: 'count', value: 'N', group: 'How', description: 'Count' } as const;
  const text = `https://user:hush${'x'.repeat(300)}@registry.example/app`;
  const source = {
    values: new Map([['count', text]]),
    environment: {},
    label: (name: string) => `--${name}`,
  };
  const flags = new FlagReader<'count'>([flag], source);
  flags.optional('count', parseSwitch);
  expect(flags.failures.map(({ message }) => message)).toEqual([
    'it contains a user name and a password, which are not read from there',
  ]);
});
