import { expect, test } from 'vitest';
import {
  RETRY_FLAGS,
  readRetry,
  readUnverified,
  trustFlags,
} from '../../src/config/flags/connection-flags.ts';
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

test.each<[given: string, asked: string]>([
  ['docker.io', 'registry-1.docker.io'],
  ['Docker.io', 'registry-1.docker.io'],
  ['index.docker.io', 'registry-1.docker.io'],
  ['registry-1.docker.io', 'registry-1.docker.io'],
  ['registry.hub.docker.com', 'registry-1.docker.io'],
  ['auth.docker.io', 'auth.docker.io'],
  ['k8s.gcr.io', 'registry.k8s.io'],
  ['quay.io:443', 'quay.io:443'],
  ['10.0.0.5:5000', '10.0.0.5:5000'],
])('--tls-skip-verify %s is for the host that is asked for it: %s', (given, asked) => {
  const from = {
    values: new Map([['tls-skip-verify', given]]),
    environment: {},
    label: (name: string) => name,
  };
  const notices = new Set<string>();
  expect(readUnverified(new FlagReader(trustFlags('Registries'), from), notices)).toEqual([asked]);
  expect([...notices].at(-1)).toContain(`the certificate of ${asked} is not verified`);
});
