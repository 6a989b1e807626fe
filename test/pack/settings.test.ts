import { describe, expect, it } from 'vitest';
import { PACK_INPUTS } from '../../src/actions/pack-step.ts';
import { UpstreamMirror } from '../../src/config/upstream-mirror.ts';
import { describeFailure } from '../../src/lib/failure.ts';
import { PACK_FLAGS } from '../../src/pack/flags.ts';
import { parsePackSettings } from '../../src/pack/settings.ts';
import { PUBLISH_FLAGS } from '../../src/publish/flags.ts';

function parse(values: Record<string, string>, environment: Record<string, string> = {}) {
  return parsePackSettings({
    values: new Map(Object.entries(values)),
    environment,
    label: (name) => `--${name}`,
  });
}

function settings(values: Record<string, string> = {}, environment: Record<string, string> = {}) {
  const parsed = parse(values, environment);
  if (!parsed.ok) throw new Error(parsed.failures.map(describeFailure).join('\n'));
  return parsed.settings;
}

describe('the settings of packer', () => {
  it('are by themselves what they have always been', () => {
    expect(settings()).toEqual({
      versionConfig: 'versions.json',
      verifySignatures: 'off',
      trustedRoot: undefined,
      kubeVersion: undefined,
      arch: undefined,
      beta: undefined,
      overlay: undefined,
      imageSource: { kind: 'mirror', host: 'registry.cn-hangzhou.aliyuncs.com', namespace: 'keel' },
      registry: 'registry.cn-hangzhou.aliyuncs.com',
      username: undefined,
      password: undefined,
      insecureRegistries: [],
      tlsSkipVerify: [],
      caFile: undefined,
      upstreamMirror: new UpstreamMirror(),
      output: '.',
      imageOutput: '/var/run/keel/pack/images',
      downloadOutput: '/var/run/keel/pack',
      imageFormat: 'oci',
      lock: undefined,
      dryRun: false,
      queryLimit: undefined,
      limit: undefined,
      commandTimeout: 0,
      retry: { attempts: 5, interval: 5000 },
      json: false,
    });
  });

  it.each<[Record<string, string>, object, string]>([
    [
      { registry: 'r.example.com', namespace: '/a/b/' },
      { kind: 'mirror', host: 'r.example.com', namespace: 'a/b' },
      'r.example.com',
    ],
    [{ namespace: '/' }, { kind: 'mirror', namespace: undefined }, 'registry.cn-hangzhou.aliyuncs.com'],
    [{ 'image-source': 'upstream', registry: 'ghcr.io' }, { kind: 'upstream' }, 'ghcr.io'],
    [
      { 'image-source': 'm.example.com/x', registry: 'ghcr.io' },
      { kind: 'mirror', host: 'm.example.com', namespace: 'x' },
      'm.example.com',
    ],
    [
      { registry: 'k8s.gcr.io', namespace: '/' },
      { kind: 'mirror', host: 'registry.k8s.io' },
      'registry.k8s.io',
    ],
  ])('pull by %j from one place, to which alone the login goes', (values, source, host) => {
    const read = settings(values);
    expect(read.imageSource).toMatchObject(source);
    expect(read.registry).toBe(host);
  });

  it('tell that the old registry is read as the new one', () => {
    const parsed = parse({ 'image-source': 'k8s.gcr.io' });
    expect(parsed).toMatchObject({
      ok: true,
      notices: [expect.stringContaining('registry.k8s.io is used instead')],
    });
  });

  it('take the login from the environment', () => {
    const environment = { KEEL_USERNAME: 'robot', KEEL_PASSWORD: ' secret ' };
    expect(settings({}, environment)).toMatchObject({ username: 'robot', password: ' secret ' });
  });

  it('report all that is wrong at once', () => {
    const parsed = parse({
      arch: 'amd65',
      'kube-version': '1.37.1.1',
      'image-format': 'zip',
      retry: 'often',
      username: 'robot',
      beta: 'a/b',
      namespace: 'UPPER',
    });
    const told = parsed.ok ? [] : parsed.failures.map(describeFailure);
    const flags = ['namespace', 'kube-version', 'arch', 'beta', 'image-format', 'retry', 'username'];
    expect(told).toEqual(flags.map((flag) => expect.stringContaining(`--${flag}`)));
  });
});

it('no flag of packing means something else in publishing, because the action has both', () => {
  const both = PACK_FLAGS.flatMap((flag) => {
    const other = PUBLISH_FLAGS.find(({ name }) => name === flag.name);
    return other === undefined ? [] : [[flag, other] as const];
  });
  expect(both.map(([{ name }]) => name)).toEqual(['github-token']);
  for (const [one, other] of both) {
    const { name, value, environment, otherEnvironment, secret } = one;
    expect(other).toMatchObject({ name, value, environment, otherEnvironment, secret });
  }
  expect(new Set(PACK_INPUTS.map(({ name }) => name)).size).toBe(PACK_INPUTS.length);
});

it.each([
  ['', 'hush'],
  ['https://api.github.com', 'hush'],
  ['https://github.example.com/api/v3', undefined],
])('the token of a workflow whose API is "%s" is for github.com: %s', (api, token) => {
  expect(settings({}, { GITHUB_TOKEN: 'hush', GITHUB_API_URL: api }).githubToken).toBe(token);
});

it.each(['registry', 'image-source'])(
  '--%s that is empty is refused, as a login would go elsewhere',
  (name) => {
    const parsed = parse({ [name]: '', username: 'me', password: 'hush' });
    expect(parsed.ok ? [] : parsed.failures.map(describeFailure)).toEqual([
      `--${name}: it is empty (set a value, or leave it out; is a variable not set?)`,
    ]);
  },
);
