import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/lib/failure.ts';
import { PUSH_FLAGS } from '../../src/publish/flags.ts';
import { parsePushSettings } from '../../src/publish/push-settings.ts';

const KEYS = { 'access-key': 'AK', 'secret-key': 'SK' };
const SECRET = { KEEL_IMAGES_PASSWORD: 'secret' };
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

describe('the settings of packer push', () => {
  it('go to the bucket keel of Qiniu by themselves', () => {
    expect(settings(KEYS)).toEqual({
      package: 'kube-1.36.2-amd64.tar.gz',
      commandTimeout: 0,
      logins: undefined,
      insecureRegistries: [],
      tlsSkipVerify: [],
      caFile: undefined,
      retry: { attempts: 5, interval: 5000 },
      json: false,
      targets: [{ word: 'qiniu', open: expect.any(Function) }],
      overwrite: false,
      images: undefined,
    });
  });

  it('know the zone of keel and file addresses', () => {
    const read = settings({ ...KEYS, zone: 'keel', 'pkg-uri': 'file:///tmp/a%20b.tar.gz' });
    expect(read.package).toBe('/tmp/a b.tar.gz');
  });

  it.each<[Record<string, string>, RegExp[]]>([
    [{ ...KEYS, 'pkg-uri': 'https://x/y.tar.gz' }, [/^--pkg-uri: .*download it first/]],
    [{ repo: 'none', 'command-timeout': 'soon' }, [/^--command-timeout: "soon"/]],
  ])('%j are refused', (values, expected) => {
    const found = complaints(values);
    expect(found).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(found[index]).toMatch(pattern);
  });

  it.each([
    ['kube-1.36.2-amd64.tar.gz', false],
    ['/tmp/out/kube-1.36.2-arm64-beta.tgz', false],
    ['notes.txt', true],
    ['/tmp/out.tar.gz/notes', true],
    ['packer', true],
  ])('warn of a file that is no package: %s %s', (path, isWarned) => {
    const { notices } = parse({ ...KEYS, 'pkg-uri': path });
    const warning = `"${path}" does not look like a package, whose name ends in .tar.gz; publishing it anyway`;
    expect(notices).toEqual(isWarned ? [warning] : []);
  });

  it('have the notices and failures of where the package goes', () => {
    const parsed = parse({ repo: 'kodo' });
    expect(parsed.notices).toEqual([expect.stringMatching(/^"kodo" is no target/)]);
    expect(parsed.ok ? [] : parsed.failures.map(({ about }) => about)).toEqual([
      '--pkg-uri',
      '--access-key',
      '--secret-key',
    ]);
  });

  it.each([
    ['registry.example.com/mirror', 'registry.example.com', 'mirror'],
    ['Registry.example.com:5000/a/b/', 'registry.example.com:5000', 'a/b'],
    ['localhost', 'localhost', undefined],
    ['docker.io/me', 'docker.io', 'me'],
  ])('send images to %s, and the package nowhere', (text, host, namespace) => {
    const read = settings(
      { 'images-to': text, naming: 'path', username: 'robot', 'dry-run': 'true' },
      SECRET,
    );
    expect(read.targets).toEqual([]);
    expect(read.images).toEqual({
      destination: { host, namespace, naming: 'path' },
      username: 'robot',
      password: 'secret',
      dryRun: true,
    });
  });

  it('name images as sync does by themselves, and take a folder without a word', () => {
    const parsed = parse({ 'images-to': 'registry.example.com/mirror', 'pkg-uri': '/tmp/unpacked' });
    expect(parsed).toMatchObject({
      ok: true,
      notices: [],
      settings: { images: { destination: { naming: 'basename' } } },
    });
  });

  it('do not send the login of the registry that a package was packed from elsewhere', () => {
    const read = settings(
      { 'images-to': 'registry.example.com' },
      { KEEL_USERNAME: 'a', KEEL_PASSWORD: 'b' },
    );
    expect(read.images).toMatchObject({ username: undefined, password: undefined });
  });

  it.each<[Record<string, string>, RegExp]>([
    [
      { 'images-to': 'mirror/images' },
      /^--images-to: "mirror\/images" does not start with the host of a registry/,
    ],
    [{ 'images-to': 'https://registry.example.com/mirror' }, /^--images-to: .*write registry\.example\.com/],
    [{ 'images-to': 'registry.example.com/Mirror' }, /^--images-to: .*lower case/],
    [{ 'images-to': '' }, /^--images-to: it is empty/],
    [{ 'images-to': 'registry.example.com', repo: 'qiniu' }, /^--repo: .*run packer push twice/],
    [{ 'images-to': 'registry.example.com', naming: 'short' }, /^--naming: /],
    [{ 'images-to': 'registry.example.com', password: 'x' }, /^--password: .*--username/],
    [{ ...KEYS, naming: 'path' }, /^--naming: it applies only to the images of a package/],
  ])('%j are refused for images', (values, expected) => {
    expect(complaints(values)).toEqual([expect.stringMatching(expected)]);
  });

  it('need a package', () => {
    const parsed = parse({ repo: 'none' });
    expect(parsed.ok ? [] : parsed.failures.map(describeFailure)).toEqual([
      '--pkg-uri: no package to publish (set it to the path of a package built by packer)',
    ]);
  });
});

describe('the table of flags', () => {
  it('names each flag and letter once', () => {
    const names = PUSH_FLAGS.map((flag) => flag.name);
    const letters = PUSH_FLAGS.flatMap((flag) => flag.short ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(letters).size).toBe(letters.length);
  });
});
