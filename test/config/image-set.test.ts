import { readFile } from 'node:fs/promises';
import { describe, expect, it, test } from 'vitest';
import { readImageSet } from '../../src/config/configuration-file.ts';
import { parseDocument } from '../../src/config/document.ts';
import { type ImageSet, parseImageSet } from '../../src/config/image-set.ts';
import { ConfigurationFailure } from '../../src/config/problem.ts';
import { formatScope } from '../../src/config/signature-policy.ts';
import { formatPlatform } from '../../src/registry/oci/platform.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';

const calm = new AbortController().signal;

function read(text: string): ImageSet {
  return parseImageSet(parseDocument('image_set.json', text));
}

function problemsOf(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (!(error instanceof ConfigurationFailure)) throw error;
    return error.problems.map(({ place, message }) => `${place.line}:${place.column} ${message}`);
  }
  return [];
}

describe('an image set', () => {
  test('in the form that the Go tool reads works unchanged', () => {
    const set = read(
      '{"names": ["kube-apiserver", "pause"],\n"prefixes": ["sig-storage/"], "exclude": ["-amd64"]}',
    );
    expect(set.names).toEqual([
      { value: 'kube-apiserver', place: { file: 'image_set.json', line: 1, column: 12 } },
      { value: 'pause', place: { file: 'image_set.json', line: 1, column: 30 } },
    ]);
    expect(set.prefixes.map(({ value, place }) => [value, place.line, place.column])).toEqual([
      ['sig-storage/', 2, 14],
    ]);
    expect(set.exclude).toEqual(['-amd64']);
    expect({ extras: set.extras, patches: set.patches.size, tags: set.tags, notices: set.notices }).toEqual({
      extras: [],
      patches: 0,
      tags: {},
      notices: [],
    });
  });

  test('takes null for an empty list, as Go writes it', () => {
    const set = read('{"names": ["pause"], "prefixes": null, "exclude": null}');
    expect([set.prefixes, set.exclude]).toEqual([[], []]);
  });

  test('reads both names of the Kubernetes registry, and says that the old one is old', () => {
    const set = read(
      '{"names": ["k8s.gcr.io/pause",\n"registry.k8s.io/etcd"], "prefixes": ["k8s.gcr.io/dns/"],\n"exclude": ["registry.k8s.io/dns/x"],\n"extras": ["k8s.gcr.io/kube-proxy:v1.20.0"], "patches": [{"match": "k8s.gcr.io/etcd", "name": "e"}]}',
    );
    expect(set.names.map(({ value }) => value)).toEqual(['pause', 'etcd']);
    expect(set.prefixes.map(({ value }) => value)).toEqual(['dns/']);
    expect(set.exclude).toEqual(['dns/x']);
    expect(set.extras.map(({ value }) => formatReference(value))).toEqual([
      'registry.k8s.io/kube-proxy:v1.20.0',
    ]);
    expect([...set.patches.keys()]).toEqual(['etcd']);
    expect(set.notices.map(({ place, message }) => `${place.line} ${message.split('; ')[1]}`)).toEqual([
      '1 read as registry.k8s.io/pause',
      '2 read as registry.k8s.io/dns/',
      '4 read as registry.k8s.io/kube-proxy:v1.20.0',
      '4 read as registry.k8s.io/etcd',
    ]);
  });

  test('joins extras by repository, in the order of the file', () => {
    const set = read('{"extras": ["quay.io/a/b:1", "ghcr.io/c:2",\n"quay.io/a/b", "ghcr.io/c:3"]}');
    const joined = [...set.extraImages].map(([name, { host, repository, tags, isListed, places }]) => ({
      name,
      address: `${host} ${repository}`,
      tags: [...tags],
      isListed,
      lines: places.map(({ line }) => line),
    }));
    expect(joined).toEqual([
      { name: 'quay.io/a/b', address: 'quay.io a/b', tags: ['1'], isListed: true, lines: [1, 2] },
      { name: 'ghcr.io/c', address: 'ghcr.io c', tags: ['2', '3'], isListed: false, lines: [1, 2] },
    ]);
  });

  test('reads patches, filters and platforms into values', () => {
    const set = read(`{
      "extras": ["ghcr.io/flannel-io/flannel", "docker.io/nginx:1.29.1"],
      "tags": {"semver": ">=1.9, <2", "since": "2025-01-01"},
      "patches": [
        {"match": "ghcr.io/flannel-io/flannel", "tags": {"latest": 3, "regex": "^v0\\\\."}},
        {"match": "docker.io/nginx", "name": "web/nginx", "platforms": ["linux/amd64", "linux/arm/v7"]},
      ]
    }`);
    expect(set.tags.semver?.range).toBe('>=1.9.0 <2.0.0-0');
    expect(set.tags.since).toEqual(new Date('2025-01-01T00:00:00Z'));
    const flannel = set.patches.get('ghcr.io/flannel-io/flannel');
    expect([
      flannel?.tags?.latest,
      flannel?.tags?.regex?.test('v0.28.9'),
      flannel?.tags?.regex?.test('v1'),
    ]).toEqual([3, true, false]);
    const nginx = set.patches.get('docker.io/library/nginx');
    expect([nginx?.name, nginx?.platforms?.map(formatPlatform), nginx?.place.line]).toEqual([
      'web/nginx',
      ['linux/amd64', 'linux/arm/v7'],
      6,
    ]);
  });

  test('warns of an empty prefix', () => {
    expect(read('{"prefixes": [""]}').notices.map(({ message }) => message)).toEqual([
      'an empty prefix matches every repository',
    ]);
  });

  test('warns of characters that no name and no tag has', () => {
    const { notices } = read('{"names": ["pause"],\n"exclude": ["–rc"]}');
    expect(notices).toMatchObject([
      {
        place: { line: 2, column: 13 },
        message: '"–rc" matches no name and no tag: it has – (U+2013): write -rc',
      },
    ]);
  });

  test.each<[string, string, string[]]>([
    [
      'what people paste',
      '{"names": ["Registry.K8S.io/pause", "“kube-proxy”", "pause\u00a0"], "extras": [\n"https://hub.docker.com/r/library/nginx",\n' +
        '"https://user:pass@harbor.example/app:1",\n"quay.io/calico/node："]}',
      [
        '1:37 "“kube-proxy”" cannot be part of a repository name (it has “ (U+201C): write "kube-proxy")',
        '1:53 "pause\u00a0" is not a repository name (it has a character that looks like a space (U+00A0): write pause)',
        '2:1 this is an address and not the name of an image (write docker.io/library/nginx)',
        '3:1 it contains a user name and a password, which are not read from there (write harbor.example/app:1, and log in with docker login)',
        '4:1 "node：" cannot be part of a repository name (it has ： (U+FF1A): write quay.io/calico/node:)',
      ],
    ],
    [
      'letters of full width',
      '{"names": ["ｐause"]}',
      ['1:12 "ｐause" cannot be part of a repository name (it has ｐ (U+FF50): write pause)'],
    ],
    [
      'nothing wanted',
      '{"exclude": ["x"]}',
      ['1:1 the set has no image: add "kubernetes", "names", "prefixes", "extras" or "cni"'],
    ],
    [
      'names of other things',
      '{"names": [\n"pause:3.10",\n"quay.io/calico/node",\n"Kube-Proxy",\n"",\n"https://registry.k8s.io/pause"]}',
      [
        '2:1 expected a name without a tag, found "pause:3.10" (write "pause", and choose its tags with a patch)',
        '3:1 "quay.io/calico/node" names another registry (move it to "extras")',
        '4:1 "Kube-Proxy" cannot be part of a repository name (repositories are lower case: kube-proxy)',
        '5:1 an empty path component cannot be part of a repository name (a path component is lower-case letters and digits, joined by ".", "_", "__" or "-")',
        '6:1 this is an address and not the name of an image (write registry.k8s.io/pause)',
      ],
    ],
    [
      'prefixes of nothing',
      '{"prefixes": [\n"kube-*",\n"Kube",\n"quay.io/calico/"]}',
      [
        '2:1 no repository name starts with "kube-*" (a prefix needs no star: write "kube-")',
        '3:1 no repository name starts with "Kube" (names are lower-case letters, digits, ".", "_", "-" and "/")',
        '4:1 "quay.io/calico/" names another registry (name the images of other registries one by one in "extras")',
      ],
    ],
    [
      'excluding everything',
      '{"names": ["pause"], "exclude": [""]}',
      ['1:34 expected some characters, found "", which every name and tag contains'],
    ],
    [
      'extras that are no full references',
      '{"extras": [\n"coredns/coredns",\n"nginx",\n"ghcr.io/a/b:",\n5]}',
      [
        '2:1 expected host/path[:tag], found "coredns/coredns" without a host (write "docker.io/coredns/coredns" for Docker Hub, or put it into "names" if it is an image of the source registry)',
        '3:1 expected host/path[:tag], found "nginx" without a host (write "docker.io/library/nginx" for Docker Hub, or put it into "names" if it is an image of the source registry)',
        '4:1 the tag after ":" is empty (a tag is up to 128 letters, digits, "_", "." and "-", and does not start with "." or "-")',
        '5:1 expected a text, found 5',
      ],
    ],
    [
      'filters',
      '{"names": ["pause"], "tags": {\n"semver": "new",\n"latest": 0,\n"since": "2025-02-30",\n"regex": "(",\n"newest": 3}}',
      [
        '2:11 expected a range of versions, found "new" (write one such as ">=1.35", "~1.36.2" or ">=1.9 <2 || 3.x")',
        '3:11 expected at least 1, found 0',
        '4:10 expected a day, found "2025-02-30" (write it as 2026-03-31, or with a time and its zone as 2026-03-31T08:00:00Z)',
        '5:10 expected a regular expression, found "(": error parsing regexp: missing closing ): `(` (the grammar is RE2, which has neither lookaround nor backreferences)',
        '6:1 "newest" is not a known key; known keys are "semver", "latest", "since" or "regex"',
      ],
    ],
    [
      'patches',
      '{"names": ["pause"], "patches": [\n{"match": "pause"},\n{"name": "x"},\n{"match": "etcd", "platforms": ["amd64"]}]}',
      [
        '2:1 the patch changes nothing: add "name", "tags", "platforms" or "minimumAge"',
        '3:1 "match" is missing: expected a text',
        '4:33 "amd64" is not a platform (write os/architecture, such as linux/amd64 or linux/arm/v7)',
      ],
    ],
    [
      'two patches for one image',
      '{"names": ["pause"], "patches": [\n{"match": "etcd", "name": "a"},\n{"match": "registry.k8s.io/etcd", "name": "b"}]}',
      ['3:11 there is already a patch for "etcd" on line 2; join the two'],
    ],
  ])('says what is wrong: %s', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test('of this repository is in order', async () => {
    const set = await readImageSet('image_set.json', calm);
    expect(set.notices).toEqual([]);
    expect(set.names.map(({ value }) => value)).toContain('kube-apiserver');
  });

  test('of the documentation is in order', async () => {
    const page = await readFile('docs/image-set.md', 'utf8');
    const examples = [...page.matchAll(/```jsonc\n([\s\S]*?)```/g)].map(([, text = '']) => read(text));
    expect(examples.map(({ patches }) => [...patches.keys()])).toEqual([
      [],
      ['kube-apiserver', 'ingress-nginx/controller'],
      ['ghcr.io/flannel-io/flannel'],
      [],
    ]);
    expect(examples.flatMap(({ notices }) => notices)).toEqual([]);
  });
});

describe('the signers of an image set', () => {
  test('are read for a registry or a path, with the nearest name of a registry', () => {
    const set = read(`{"names": ["pause"], "signatures": {
      "ghcr.io/flannel-io/": {"identity": "https://github.com/flannel-io/**", "issuer": "https://token.actions.githubusercontent.com"},
      "index.docker.io": "off",
      "k8s.gcr.io/dns": [{"identity": "a@b.c", "issuer": "https://accounts.google.com", "signedAs": "quay.io/dns"}]
    }}`);
    expect(set.signatures.map(({ scope, policy }) => `${formatScope(scope)} ${policy.kind}`)).toEqual([
      'ghcr.io/flannel-io signed',
      'docker.io off',
      'registry.k8s.io/dns signed',
    ]);
    expect(set.notices).toEqual([
      {
        place: expect.objectContaining({ line: 2, column: 43 }),
        message: expect.stringMatching(/accepts any repository, any workflow, any branch: write https:/),
      },
    ]);
  });

  test.each([
    [
      '{"names": ["pause"], "signatures": {"flannel-io": "off"}}',
      '1:37 expected a registry, found "flannel-io" (write its host, or its host and the beginning of a path, such as ghcr.io/flannel-io)',
    ],
    [
      '{"names": ["pause"], "signatures": {"ghcr.io/*": "off"}}',
      '1:37 a scope needs no star (write "ghcr.io")',
    ],
    [
      '{"names": ["pause"], "signatures": {"docker.io": "off", "index.docker.io": "off"}}',
      '1:57 docker.io is already in the file under another name',
    ],
    [
      '{"names": ["pause"], "signatures": {"ghcr.io": {"identity": "*", "issuer": "https://accounts.google.com"}}}',
      '1:61 this matches everyone (write an e-mail address, or the address of a workflow, which starts with https://)',
    ],
    [
      '{"names": ["pause"], "signatures": {"ghcr.io": {"identity": "a@b.c", "issuer": "accounts.google.com"}}}',
      '1:80 expected the address of an identity provider, found "accounts.google.com" (GitHub Actions is https://token.actions.githubusercontent.com, Google is https://accounts.google.com)',
    ],
    [
      '{"names": ["pause"], "signatures": {"ghcr.io": {"identity": "a@b.c"}}}',
      '1:48 "issuer" is missing: expected a text',
    ],
    [
      '{"names": ["pause"], "signatures": {"ghcr.io": {"identity": "a@b.c", "issuer": "https://x.y", "isuer": ""}}}',
      '1:95 "isuer" is not a known key; did you mean "issuer"?',
    ],
    [
      '{"names": ["pause"], "signatures": {"ghcr.io": "warn"}}',
      '1:48 expected "off" or an object { … } or a list [ … ], found "warn"',
    ],
    ['{"names": ["pause"], "signatures": {"ghcr.io": []}}', '1:48 expected at least 1 entry, found 0'],
  ])('are told what is wrong with %s', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });
});

describe('an extra with a digest', () => {
  const one = `sha256:${'a'.repeat(64)}`;
  const other = `sha256:${'b'.repeat(64)}`;
  const read = (extras: readonly string[]) =>
    parseImageSet(parseDocument('set.json', JSON.stringify({ extras }, undefined, 2)));

  it('wants its tag with this digest, or a tag that is made of it, and no others', () => {
    const { extraImages } = read([`a.io/b:1@${one}`, `a.io/b@${other}`]);
    expect([...extraImages.values()]).toMatchObject([
      { isListed: false, tags: new Set(['1', 'digest-bbbbbbbbbbbb']) },
    ]);
    expect([...(extraImages.get('a.io/b')?.pins.values() ?? [])]).toEqual([
      { digest: one, isTagMade: false },
      { digest: other, isTagMade: true },
    ]);
  });

  it('is refused where the tag has another one', () => {
    expect(() => read([`a.io/b:1@${one}`, 'a.io/c:1', `a.io/b:1@${other}`])).toThrow(
      `"a.io/b:1" already has the digest ${one}, on line 3; a tag has one image`,
    );
  });
});
