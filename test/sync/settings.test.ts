import { describe, expect, test } from 'vitest';
import { UpstreamMirror } from '../../src/config/upstream-mirror.ts';
import { describeFailure } from '../../src/lib/failure.ts';
import { parseSyncSettings, type SyncSettings } from '../../src/sync/settings.ts';

function parse(
  values: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
): ReturnType<typeof parseSyncSettings> {
  return parseSyncSettings({
    values: new Map(Object.entries(values)),
    environment,
    label: (name) => `--${name}`,
  });
}

function settings(values?: Readonly<Record<string, string>>, environment?: Readonly<Record<string, string>>) {
  const parsed = parse(values, environment);
  if (!parsed.ok) throw new Error(parsed.failures.map(describeFailure).join('\n'));
  return parsed.settings;
}

function complaints(
  values: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): string[] {
  const parsed = parse(values, environment);
  return parsed.ok ? [] : parsed.failures.map(describeFailure);
}

const DEFAULTS: SyncSettings = {
  source: settings().source,
  destination: settings().destination,
  namespace: settings().namespace,
  username: undefined,
  password: undefined,
  imageSet: 'image_set.json',
  database: 'sync.bolt.db',
  state: 'file',
  queryLimit: undefined,
  limit: undefined,
  commandTimeout: settings().commandTimeout,
  pushTimeout: settings().pushTimeout,
  retry: settings().retry,
  additionNamespaces: [],
  dryRun: false,
  naming: 'basename',
  platforms: [],
  signatures: 'skip',
  verify: 'sample',
  movedTags: 'warn',
  verifySignatures: 'off',
  trustedRoot: undefined,
  shard: undefined,
  report: undefined,
  failOn: 'any',
  insecureRegistries: [],
  tlsSkipVerify: [],
  caFile: undefined,
  upstreamMirror: new UpstreamMirror(),
  githubToken: undefined,
  json: false,
};

describe('defaults', () => {
  test('are those that users of keel-pkg know', () => {
    expect(settings()).toEqual({
      ...DEFAULTS,
      source: 'registry.k8s.io',
      destination: 'registry.cn-hangzhou.aliyuncs.com',
      namespace: 'keel',
      commandTimeout: 0,
      pushTimeout: 15 * 60_000,
      retry: { attempts: 5, interval: 5000 },
    });
  });

  test('stand for flags that are given but empty, as workflows give unset inputs', () => {
    const empty = { limit: '', source: ' ', 'dry-run': '', platform: '\n', shard: '', username: '' };
    expect(settings(empty)).toEqual(DEFAULTS);
  });
});

test.each<[string, string, keyof SyncSettings, unknown]>([
  ['source', 'Quay.IO', 'source', 'quay.io'],
  ['push-to', 'localhost:5000', 'destination', 'localhost:5000'],
  ['push-ns', '/', 'namespace', undefined],
  ['push-ns', 'team/mirror/', 'namespace', 'team/mirror'],
  ['query-limit', '1', 'queryLimit', 1],
  ['limit', '1000', 'limit', 1000],
  ['command-timeout', '2h', 'commandTimeout', 7_200_000],
  ['push-timeout', '1m30s', 'pushTimeout', 90_000],
  ['retry', '0', 'retry', { attempts: 1, interval: 5000 }],
  ['retry-interval', '500ms', 'retry', { attempts: 5, interval: 500 }],
  [
    'addition-ns',
    'coredns, etcd\n\nkube-state-metrics',
    'additionNamespaces',
    ['coredns', 'etcd', 'kube-state-metrics'],
  ],
  ['addition-ns', '*', 'additionNamespaces', ['*']],
  ['platform', 'all', 'platforms', []],
  [
    'platform',
    'linux/amd64,linux/arm/v7',
    'platforms',
    [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ],
  ],
  ['shard', '2/4', 'shard', { index: 2, count: 4 }],
  ['dry-run', 'yes', 'dryRun', true],
  ['dry-run', 'False', 'dryRun', false],
  ['json', '1', 'json', true],
  ['verify', 'none', 'verify', 'none'],
  ['moved-tags', 'keep', 'movedTags', 'keep'],
  ['naming', 'dashed', 'naming', 'dashed'],
  ['insecure-registry', '10.0.0.5:5000', 'insecureRegistries', ['10.0.0.5:5000']],
  ['tls-skip-verify', '10.0.0.5:5000, b.example', 'tlsSkipVerify', ['10.0.0.5:5000', 'b.example']],
])('--%s %j is read', (flag, text, key, value) => {
  expect(settings({ [flag]: text })[key]).toEqual(value);
});

test.each<[string, string, string]>([
  ['limit', 'many', '--limit: "many" is not a whole number (write a whole number from 1 to 1000)'],
  ['query-limit', '0', '--query-limit: "0" is out of bounds (write a whole number from 1 to 1000)'],
  ['naming', 'short', '--naming: "short" is not an allowed value (write basename, dashed or path)'],
  [
    'dry-run',
    'perhaps',
    '--dry-run: "perhaps" is neither true nor false (write true or false; yes, no, 1 and 0 work too)',
  ],
  [
    'shard',
    '5/4',
    '--shard: "5/4" is not a shard (write i/n with i from 1 to n and n up to 256, such as 2/8)',
  ],
  [
    'push-timeout',
    '15',
    '--push-timeout: "15" is not a duration (write a number with a unit, such as 500ms, 30s, 15m0s or 2h; 0 means no limit)',
  ],
  [
    'push-to',
    'https://r.example.com',
    '--push-to: "https://r.example.com" is not a registry host (write r.example.com)',
  ],
  [
    'push-to',
    'r.example.com:5000/team/a/',
    '--push-to: "r.example.com:5000/team/a/" is not a registry host (write --push-to r.example.com:5000 --push-ns team/a)',
  ],
  [
    'push-to',
    'https://r.example.com/team',
    '--push-to: "https://r.example.com/team" is not a registry host (write --push-to r.example.com --push-ns team)',
  ],
  [
    'push-to',
    'r.example.com/Team',
    '--push-to: "r.example.com/Team" is not a registry host (write r.example.com)',
  ],
  [
    'push-ns',
    'Keel',
    '--push-ns: "Keel" cannot be part of a repository name (repositories are lower case: keel)',
  ],
])('--%s %j is refused with what is allowed', (flag, text, message) => {
  expect(complaints({ [flag]: text })).toEqual([message]);
});

test('a path in --push-to comes before a namespace that is given too', () => {
  expect(complaints({ 'push-to': 'r.example.com/team', 'push-ns': 'a' })).toEqual([
    '--push-to: "r.example.com/team" is not a registry host (write --push-to r.example.com --push-ns team/a)',
  ]);
});

describe('given images need a destination', () => {
  const given = { values: new Map<string, string>(), environment: {}, label: (name: string) => `--${name}` };

  test('which no default replaces', () => {
    const parsed = parseSyncSettings({ ...given, operands: ['nginx:1.29'] });
    expect(parsed).toMatchObject({
      ok: false,
      failures: [{ code: 'DESTINATION_MISSING', fault: 'usage', about: '--push-to' }],
    });
    expect(complaints({ images: 'nginx:1.29' })).toEqual([
      '--push-to: no destination is given for these images (name your registry, as in --push-to registry.example.com --push-ns mirror)',
    ]);
  });

  test('an input of a workflow', () => {
    const parsed = parseSyncSettings({
      ...given,
      values: new Map([['images', 'nginx:1.29']]),
      label: (name) => `input "${name}"`,
    });
    expect(parsed.ok ? [] : parsed.failures.map(describeFailure)).toEqual([
      'input "push-to": no destination is given for these images (name your registry, as in push-to: registry.example.com and push-ns: mirror)',
    ]);
  });

  test('which may be the default one, if it is named', () => {
    const host = 'registry.cn-hangzhou.aliyuncs.com';
    expect(settings({ images: 'nginx:1.29', 'push-to': host }).destination).toBe(host);
    expect(settings().destination).toBe(host);
  });
});

test('everything that is wrong is told at once, each wrong value of a list too', () => {
  const told = complaints({ retry: '-1', 'fail-on': 'all', platform: 'linux/amd64,arm,x', 'push-to': 'a b' });
  expect(told.map((line) => line.split(':')[0])).toEqual([
    '--push-to',
    '--retry',
    '--platform',
    '--platform',
    '--fail-on',
  ]);
});

test('k8s.gcr.io is read as registry.k8s.io, and the user is told', () => {
  const parsed = parse({ source: 'k8s.gcr.io' });
  expect(parsed).toMatchObject({
    ok: true,
    settings: { source: 'registry.k8s.io' },
    notices: ['--source: k8s.gcr.io is frozen and being shut down; registry.k8s.io is used instead'],
  });
});

describe('credentials', () => {
  test('a flag outranks its environment variable', () => {
    const environment = { KEEL_USERNAME: 'night', KEEL_PASSWORD: 'from the environment' };
    expect(settings({ username: 'day' }, environment)).toMatchObject({
      username: 'day',
      password: 'from the environment',
    });
  });

  test('a password keeps its spaces', () => {
    expect(settings({ username: 'keel', password: ' p ' }).password).toBe(' p ');
  });

  test('one half alone is refused, without showing it', () => {
    expect(complaints({ username: 'keel' })).toEqual([
      '--username: there is a user name but no password (set --password or the environment variable KEEL_PASSWORD)',
    ]);
    expect(complaints({ password: 'hush' })).toEqual([
      '--password: there is a password but no user name (set --username too)',
    ]);
  });

  test('a variable that is wrong is called by its name, and not by that of its flag', () => {
    const environment = { KEEL_PASSWORD: 'hush' };
    const told = 'there is a password but no user name (set --username too)';
    expect(complaints({}, environment)).toEqual([`KEEL_PASSWORD: ${told}`]);
    expect(complaints({ password: 'given' }, environment)).toEqual([`--password: ${told}`]);
    expect(complaints({}, { KEEL_REGISTRY_LOGINS: 'nonsense' })).toEqual([
      expect.stringMatching(/^KEEL_REGISTRY_LOGINS: /),
    ]);
  });
});

test('a host whose certificate is not checked is warned of in each run', () => {
  expect(parse({ 'tls-skip-verify': 'a.example' })).toMatchObject({
    notices: [expect.stringMatching(/^--tls-skip-verify: the certificate of a\.example is not verified/)],
  });
});

test('an empty destination is refused, and not replaced by the default, to which the login would go', () => {
  const login = { username: 'me', password: 'hush' };
  for (const text of ['', ' ']) {
    expect(complaints({ 'push-to': text, ...login })).toEqual([
      '--push-to: it is empty (set a value, or leave it out; is a variable not set?)',
    ]);
  }
  expect(complaints(login)).toEqual([]);
  expect(complaints({ source: '', 'image-set': '' })).toEqual([]);
});
