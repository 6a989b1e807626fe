import { expect, test } from 'vitest';
import { defaultOf, type Flag, groupFlags } from '../../src/config/flags/flag.ts';

function flag(name: string, group: string, more: Partial<Flag> = {}): Flag {
  return { name, group, description: `What ${name} does`, ...more };
}

test('groups and flags keep the order of the table', () => {
  const groups = groupFlags([flag('b', 'Two'), flag('c', 'One'), flag('a', 'Two')]);
  expect([...groups].map(([group, flags]) => [group, flags.map(({ name }) => name)])).toEqual([
    ['Two', ['b', 'a']],
    ['One', ['c']],
  ]);
});

test.each([
  [{}, undefined],
  [{ default: '15m0s' }, '15m0s'],
  [{ defaultNote: 'as many as the host bears' }, 'as many as the host bears'],
  [{ default: '5', defaultNote: 'five' }, 'five'],
])('of %j people are told %s', (more, told) => {
  expect(defaultOf(flag('limit', 'How', more))).toBe(told);
});
