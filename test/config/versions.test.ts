import { describe, expect, it } from 'vitest';
import { readVersions } from '../../src/config/configuration-file.ts';
import { parseDocument } from '../../src/config/document.ts';
import { ConfigurationFailure, formatPlace } from '../../src/config/problem.ts';
import { parseVersions, type Versions } from '../../src/config/versions.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';

const calm = new AbortController().signal;

const HEX = 'ab'.repeat(32);

function read(text: string): Versions {
  return parseVersions(parseDocument('versions.json', text));
}

function problemsIn(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (!(error instanceof ConfigurationFailure)) throw error;
    return error.problems.map(({ place, message }) => `${formatPlace(place)}: ${message}`);
  }
  return [];
}

describe('parseVersions', () => {
  it('reads the form with only name and tag', () => {
    const versions = read(`{
      "arch": "amd64",
      "images": [{"name": "kube-proxy", "tag": "v1.22.2"}, {"name": "coredns", "tag": "auto"}],
      "components": [{"name": "containerd", "tag": "1.5.7"}]
    }`);
    expect(versions.arch).toBe('amd64');
    expect(versions.images.map(({ name, tag }) => [name, tag])).toEqual([
      ['kube-proxy', 'v1.22.2'],
      ['coredns', 'auto'],
    ]);
    expect(versions.components[0]?.uri).toBeUndefined();
    expect(formatPlace(versions.images[1]?.place('tag') ?? { file: '', line: 0, column: 0 })).toBe(
      'versions.json:3:87',
    );
  });

  it('reads everything that an entry can have', () => {
    const versions = read(`{
      "images": [{"name": "node", "tag": "v3.32.2", "image": "quay.io/calico/node"}],
      "components": [
        {"name": "one", "tag": "1", "uri": "https://e.org/{{ .Tag }}/a-{{.Arch}}", "sha256": "${HEX.toUpperCase()}", "path": "tools/"},
        {"name": "two", "tag": "2", "uri": "https://e.org/b", "sha256": {"amd64": "${HEX}"}, "path": "tools/b"},
        {"name": "three", "tag": "3", "uri": "https://e.org/c", "sha256": "none"}
      ]
    }`);
    const [image] = versions.images;
    expect(image?.image === undefined ? '' : formatReference(image.image)).toBe('quay.io/calico/node');
    expect(versions.components.map(({ sha256, path }) => [sha256, path])).toEqual([
      [`sha256:${HEX}`, { path: 'tools', folder: true }],
      [new Map([['amd64', `sha256:${HEX}`]]), { path: 'tools/b', folder: false }],
      ['none', undefined],
    ]);
  });

  it('tells every mistake at once, each at its line and column', () => {
    const text = [
      '{',
      '  "arch": "amd46",',
      '  "images": [',
      '    {"name": "kube-apiserver", "tag": "v1 22"},',
      '    {"name": "Coredns", "tag": "v1.8.4", "image": "coredns/coredns"},',
      '    {"name": "pause", "tga": "3.5"}',
      '  ],',
      '  "components": [',
      '    {"name": "tool", "tag": "1", "uri": "https://e.org/{{.Version}}", "path": "../../etc/passwd"},',
      '    {"name": "other", "tag": "1", "sha256": "abc"}',
      '  ]',
      '}',
    ].join('\n');
    expect(problemsIn(text)).toEqual([
      'versions.json:2:11: "amd46" is not an architecture of Kubernetes; did you mean "amd64"? (write amd64, arm64, ppc64le or s390x)',
      'versions.json:4:39: "v1 22" is not a tag (a tag is up to 128 letters, digits, "_", "." and "-", and does not start with "." or "-")',
      'versions.json:5:14: "Coredns" cannot be part of a repository name (repositories are lower case: coredns)',
      'versions.json:5:51: "coredns/coredns" does not contain a registry (write one such as quay.io/calico/node)',
      'versions.json:6:5: "tag" is missing: expected a text',
      'versions.json:6:23: "tga" is not a known key; did you mean "tag"?',
      'versions.json:9:41: {{.Version}} is not a known field (the fields are {{.Tag}} and {{.Arch}})',
      'versions.json:9:79: "../../etc/passwd" is not a path within the package (write one such as kubernetes/bin/tool, without a / at its start and without "..")',
      'versions.json:10:45: "abc" is not a sha256 (write its 64 hexadecimal digits, or "none" for a download without a checksum)',
    ]);
  });

  it.each([
    '{"images": [{"name": "a", "tag": "1", "image": "me:secret@quay.io/a"}]}',
    '{"images": [{"name": "a", "tag": "1", "image": "me:secret@quay.io"}]}',
    '{"components": [{"name": "a", "tag": "1", "uri": "me:secret@example.com/a"}]}',
    '{"addons": [{"name": "a", "tag": "1", "uri": "me:secret@example.com/a"}]}',
  ])('does not repeat the login in %s', (text) => {
    const problems = problemsIn(text);
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('secret');
  });

  it.each([
    [
      'an empty file',
      '{}',
      'versions.json:1:1: there is nothing to pack: no images, no components and no add-ons',
    ],
    [
      'an image twice',
      '{"images": [{"name": "pause", "tag": "3.5"}, {"name": "pause", "tag": "3.5"}]}',
      'versions.json:1:55: pause 3.5 is already in the list',
    ],
    [
      'a component twice, in two versions',
      '{"components": [{"name": "runc", "tag": "1.0.2"}, {"name": "runc", "tag": "1.1.0"}]}',
      'versions.json:1:60: runc is already in the list',
    ],
    [
      'plain http without a pin',
      '{"components": [{"name": "a", "tag": "1", "uri": "http://mirror.lan/a"}]}',
      'versions.json:1:50: a download over plain http can be changed on its way; write https:// or pin it with "sha256"',
    ],
    [
      'a password in an address',
      '{"components": [{"name": "a", "tag": "1", "uri": "https://me:secret@e.org/a"}]}',
      'versions.json:1:50: the address contains a user name or password (remove them, because everyone who reads this file sees them)',
    ],
    [
      'a path that the package needs',
      '{"components": [{"name": "a", "tag": "1", "path": "Install.sh"}]}',
      'versions.json:1:51: "Install.sh" is a path that the package uses itself (write another path, such as tools/name)',
    ],
    [
      'a brace without a partner',
      '{"components": [{"name": "a", "tag": "1", "uri": "https://e.org/{{.Tag"}]}',
      'versions.json:1:50: a {{ is not closed, or a }} is not opened (the fields are {{.Tag}} and {{.Arch}})',
    ],
  ])('refuses %s', (_, text, problem) => {
    expect(problemsIn(text)).toEqual([problem]);
  });

  it.each(['http://127.0.0.1:8080/a', 'http://localhost/a'])(
    'takes %s, which never leaves the machine',
    (uri) => {
      expect(problemsIn(`{"components": [{"name": "a", "tag": "1", "uri": "${uri}"}]}`)).toEqual([]);
    },
  );

  it('names a file that is not there', async () => {
    await expect(readVersions('/nowhere/versions.json', calm)).rejects.toMatchObject({
      code: 'CONFIGURATION_UNREADABLE',
      about: '/nowhere/versions.json',
    });
  });
});
