import { expect, test } from 'vitest';
import { RETRY_FLAGS, readRetry } from '../../src/config/flags/connection-flags.ts';
import { FlagReader } from '../../src/config/flags/flag-reader.ts';

function read(values: Readonly<Record<string, string>>) {
  const from = { values: new Map(Object.entries(values)), environment: {}, label: (name: string) => name };
  const flags = new FlagReader(RETRY_FLAGS, from);
  return { retry: readRetry(flags), wrong: flags.failures.map(({ about }) => about) };
}

test.each([
  [{}, { attempts: 5, interval: 5000 }],
  [
    { retry: '7', 'retry-interval': '500ms' },
    { attempts: 7, interval: 500 },
  ],
  [{ retry: '0' }, { attempts: 1, interval: 5000 }],
])('%j is the policy %j', (values, retry) => {
  expect(read(values)).toEqual({ retry, wrong: [] });
});

test('what is no number of attempts and no duration is kept as wrong', () => {
  expect(read({ retry: 'often', 'retry-interval': 'soon' }).wrong).toEqual(['retry', 'retry-interval']);
});
