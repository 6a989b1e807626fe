import { expect, it } from 'vitest';
import { FlagReader } from '../../src/config/flags/flag-reader.ts';
import { describeFailure } from '../../src/lib/failure.ts';
import { neededFlag } from '../../src/publish/contract/needed-flag.ts';

const FLAGS = [{ name: 'key', value: 'KEY', secret: true, group: 'x', description: 'x' }] as const;

function read(key: string) {
  const label = (name: string) => `--${name}`;
  const flags = new FlagReader(FLAGS, { values: new Map([['key', key]]), environment: {}, label });
  const text = neededFlag(flags, 'key', { target: 'a shelf', hint: 'give one' });
  return { text, failures: flags.failures.map(describeFailure) };
}

it.each(['a', ' a\n', 'a\r\n'])('of %j the white space around it is left out', (key) => {
  expect(read(key)).toEqual({ text: 'a', failures: [] });
});

it.each(['', ' \n'])('%j is none, which is refused', (key) => {
  expect(read(key)).toEqual({
    text: undefined,
    failures: ['--key: this flag is required for publishing to a shelf (give one)'],
  });
});
