import { expect, test } from 'vitest';
import { createOption, expandArguments, flagLabel, flagTerm, optionTerm } from '../../src/cli/arguments.ts';
import type { Flag } from '../../src/config/flags/flag.ts';

const FLAGS: readonly Flag[] = [
  {
    name: 'username',
    short: 'u',
    value: 'NAME',
    group: 'A',
    description: 'User',
    environment: 'KEEL_USERNAME',
  },
  {
    name: 'platform',
    value: 'OS/ARCH',
    repeatable: true,
    default: 'all',
    group: 'A',
    description: 'Platforms',
  },
  { name: 'dry-run', group: 'B', description: 'Push nothing' },
];

test.each([
  ['-u=robot --dry-run=false', ['--username=robot', '--dry-run=false']],
  ['--dry-run -u robot', ['--dry-run=true', '-u', 'robot']],
  ['-x=1 --other', ['-x=1', '--other']],
  ['-u=a=b', ['--username=a=b']],
  ['-- --dry-run -u=robot', ['--', '--dry-run', '-u=robot']],
])('%s is read as %j', (line, expanded) => {
  expect(expandArguments(line.split(' '), FLAGS)).toEqual(expanded);
});

test.each([
  [0, '-u, --username NAME', 'User (or $KEEL_USERNAME)'],
  [1, '--platform OS/ARCH', 'Platforms (repeatable; default: all)'],
  [2, '--dry-run', 'Push nothing'],
])('flag %i stands in help as %s', (index, term, help) => {
  const flag = FLAGS[index];
  if (flag === undefined) throw new Error('no such flag');
  const option = createOption(flag, new Map());
  expect([flagTerm(flag), optionTerm(option), option.description]).toEqual([term, term, help]);
});

test('a flag that is given twice has its last value, or all where it is repeatable', () => {
  const values = new Map<string, string>();
  for (const flag of FLAGS) {
    const { parseArg } = createOption(flag, values);
    for (const text of ['one', 'two']) parseArg?.(text, undefined);
  }
  expect(Object.fromEntries(values)).toEqual({ username: 'two', platform: 'one\ntwo', 'dry-run': 'two' });
});

test('what is no argument is called by its variable', () => {
  const hidden = {
    name: 'logins',
    environment: 'KEEL_LOGINS',
    inputOnly: true,
    group: 'A',
    description: 'Logins',
  };
  expect(flagLabel('logins', [...FLAGS, hidden])).toBe('KEEL_LOGINS');
  expect(flagLabel('username', FLAGS)).toBe('--username');
  expect(flagLabel('nosuch', FLAGS)).toBe('--nosuch');
});
