import { expect, test } from 'vitest';
import type { Flag } from '../../src/config/flags/flag.ts';
import { secretsIn } from '../../src/config/flags/flag-secrets.ts';

const FLAGS: readonly Flag[] = [
  { name: 'username', environment: 'NAME', group: 'Login', description: 'User' },
  {
    name: 'password',
    environment: 'PASSWORD',
    otherEnvironment: 'OTHER',
    secret: true,
    user: 'username',
    group: 'Login',
    description: 'Password',
  },
  { name: 'token', environment: 'TOKEN', secret: true, group: 'Login', description: 'Token' },
];

function secrets(
  values: Record<string, string>,
  environment: Record<string, string> = {},
): readonly string[] {
  return secretsIn(FLAGS, { values: new Map(Object.entries(values)), environment, label: (name) => name });
}

test.each<[string, Record<string, string>, Record<string, string>, string[]]>([
  ['none', {}, {}, []],
  ['a blank one', { token: ' \n' }, { PASSWORD: ' ' }, []],
  ['one that is given', { token: 't' }, {}, ['t']],
  ['one with a line end, which may be used without it', { token: 't\n' }, {}, ['t\n', 't']],
  ['those that are overruled', { token: 'a' }, { TOKEN: 'b' }, ['a', 'b']],
  ['both variables', {}, { PASSWORD: 'p', OTHER: 'o' }, ['p', 'o']],
  ['the pair with its user', { username: ' u ', password: 'p' }, {}, ['p', 'u:p']],
  ['the pair with a user of the environment', { password: 'p' }, { NAME: 'e' }, ['p', 'e:p']],
  ['no user alone', { username: 'u' }, {}, []],
])('secrets of flags: %s', (_what, values, environment, expected) => {
  expect(secrets(values, environment)).toEqual(expected);
});
