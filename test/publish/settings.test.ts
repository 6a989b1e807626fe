import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/lib/failure.ts';
import { PUBLISH_FLAGS, PUSH_FLAGS } from '../../src/publish/flags.ts';
import { parsePushSettings } from '../../src/publish/push-settings.ts';
import { parseTargetWords } from '../../src/publish/target-word.ts';

const KEYS = { 'access-key': 'AK', 'secret-key': 'SK' };
const PACKAGE = { 'pkg-uri': 'kube-1.36.2-amd64.tar.gz' };

function parse(values: Record<string, string>, environment: Record<string, string> = {}) {
  const label = (name: string) => `--${name}`;
  return parsePushSettings({ values: new Map(Object.entries(values)), environment, label });
}

function settings(values: Record<string, string>, environment?: Record<string, string>) {
  const parsed = parse({ ...PACKAGE, ...values }, environment);
  if (!parsed.ok) throw new Error(parsed.failures.map(describeFailure).join('\n'));
  return parsed.settings;
}

function complaints(values: Record<string, string>, environment?: Record<string, string>): string[] {
  const parsed = parse({ ...PACKAGE, ...values }, environment);
  return parsed.ok ? [] : parsed.failures.map(describeFailure);
}

describe('the words of --repo', () => {
  it.each<[string, string[], number]>([
    ['', ['qiniu'], 0],
    [' qiniu ', ['qiniu'], 0],
    ['dockerhub', ['dockerhub'], 0],
    ['release,artifact', ['release', 'artifact'], 0],
    ['DockerHub\nqiniu,qiniu', ['dockerhub', 'qiniu'], 0],
    ['none', [], 0],
    ['none,release', ['release'], 1],
    ['kodo', ['qiniu'], 1],
    ['kodo,qiniu', ['qiniu'], 1],
    [',', ['qiniu'], 0],
  ])('"%s" means %j, with %i warnings', (text, words, warnings) => {
    const chosen = parseTargetWords(text);
    expect(chosen.words).toEqual(words);
    expect(chosen.warnings).toHaveLength(warnings);
  });
});

describe('the settings of packer push', () => {
  it('go to the bucket keel of Qiniu by themselves', () => {
    expect(settings(KEYS)).toEqual({
      package: 'kube-1.36.2-amd64.tar.gz',
      commandTimeout: 0,
      insecureRegistries: [],
      caFile: undefined,
      retry: 5,
      retryInterval: 5000,
      json: false,
      targets: ['qiniu'],
      overwrite: false,
      qiniu: { accessKey: 'AK', secretKey: 'SK', bucket: 'keel', zone: undefined, endpoint: undefined },
      image: undefined,
      release: undefined,
    });
  });

  it('take secrets from the environment, without the line end of a file', () => {
    const environment = { KEEL_ACCESS_KEY: 'AK\n', KEEL_SECRET_KEY: 'SK\r\n' };
    expect(settings({}, environment).qiniu).toMatchObject({ accessKey: 'AK', secretKey: 'SK' });
  });

  it('know the zone of keel and file addresses', () => {
    const read = settings({ ...KEYS, zone: 'keel', 'pkg-uri': 'file:///tmp/a%20b.tar.gz' });
    expect([read.qiniu?.zone, read.package]).toEqual(['z0', '/tmp/a b.tar.gz']);
  });

  it.each([
    [{ 'dockerhub-username': 'me', 'dockerhub-password': 'p' }, 'docker.io', 'me/keel-pkg'],
    [{ 'dockerhub-repository': 'me/kube' }, 'docker.io', 'me/kube'],
    [{ 'dockerhub-repository': '127.0.0.1:5000/a/b' }, '127.0.0.1:5000', 'a/b'],
  ])('find the registry in %j', (values, host, repository) => {
    const { image } = settings({ repo: 'dockerhub', ...values });
    expect(image).toMatchObject({ form: 'image', repository: { host, repository } });
  });

  it('find repository and token of a workflow', () => {
    const environment = {
      GITHUB_REPOSITORY: 'me/it',
      GITHUB_TOKEN: 'T',
      GITHUB_API_URL: 'https://ghe.example.com/api/v3',
    };
    expect(settings({ repo: 'release' }, environment).release).toEqual({
      repository: 'me/it',
      token: 'T',
      tag: undefined,
      api: new URL('https://ghe.example.com/api/v3'),
    });
  });

  it('want nothing for none', () => {
    expect(settings({ repo: 'none' }).targets).toEqual([]);
  });

  it.each<[Record<string, string>, RegExp[]]>([
    [{}, [/^--access-key: publishing to Qiniu needs it .*KEEL_ACCESS_KEY/, /^--secret-key/]],
    [{ ...KEYS, zone: 'mars' }, [/^--zone: "mars" is not a zone/]],
    [{ ...KEYS, 'qiniu-endpoint': 'uc.example.com' }, [/^--qiniu-endpoint: .*is not an address/]],
    [{ ...KEYS, 'pkg-uri': 'https://x/y.tar.gz' }, [/^--pkg-uri: .*download it first/]],
    [{ repo: 'dockerhub' }, [/^--dockerhub-repository: .*needs a repository/]],
    [{ repo: 'dockerhub', 'dockerhub-repository': 'a/b:c' }, [/^--dockerhub-repository: .*tag or digest/]],
    [{ repo: 'dockerhub', 'dockerhub-username': 'me' }, [/^--dockerhub-username: .*no password/]],
    [{ repo: 'release' }, [/^--github-token/, /^--release-repository/]],
    [
      { repo: 'release', 'release-tag': 'a b', 'github-token': 'T', 'release-repository': 'x' },
      [/owner\/name/, /tag/],
    ],
    [{ repo: 'none', 'command-timeout': 'soon' }, [/^--command-timeout: "soon"/]],
  ])('%j are refused', (values, expected) => {
    const found = complaints(values);
    expect(found).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(found[index]).toMatch(pattern);
  });

  it('tell that an unknown target means Qiniu also where its keys are missing', () => {
    expect(parse({ ...PACKAGE, repo: 'kodo' })).toMatchObject({
      ok: false,
      notices: [expect.stringMatching(/^"kodo" is no target, so Qiniu is used/)],
    });
  });

  it('need a package', () => {
    const parsed = parse({ repo: 'none' });
    expect(parsed.ok ? [] : parsed.failures.map(describeFailure)).toEqual([
      '--pkg-uri: there is no package to publish (write the path of the one that packer made)',
    ]);
  });
});

describe('the flag tables', () => {
  it('name each flag and letter once, and mark what must never be shown', () => {
    const names = PUSH_FLAGS.map((flag) => flag.name);
    const letters = PUSH_FLAGS.flatMap((flag) => flag.short ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(letters).toEqual(['k', 's', 'b']);
    const secret = PUBLISH_FLAGS.filter((flag) => flag.secret === true).map((flag) => flag.name);
    expect(secret).toEqual(['access-key', 'secret-key', 'dockerhub-password', 'github-token']);
  });
});
