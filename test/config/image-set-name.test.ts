import { describe, expect, test } from 'vitest';
import {
  extraName,
  namesOldRegistry,
  parseExtra,
  parseImageName,
  parsePrefix,
  parseSourceName,
  withoutKubernetesHost,
} from '../../src/config/image-set-name.ts';
import { formatReference, parseReference } from '../../src/registry/oci/reference.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

test.each([
  ['registry.k8s.io/pause', 'pause', false],
  ['k8s.gcr.io/pause', 'pause', true],
  ['pause', 'pause', false],
  ['registry.k8s.io.evil/pause', 'registry.k8s.io.evil/pause', false],
  ['k8s.gcr.io', 'k8s.gcr.io', false],
])('%s is %s at registry.k8s.io; under its old name: %s', (text, name, isOld) => {
  expect([withoutKubernetesHost(text), namesOldRegistry(text)]).toEqual([name, isOld]);
});

describe('a name of the source registry', () => {
  test.each([
    ['pause', 'pause'],
    ['registry.k8s.io/coredns/coredns', 'coredns/coredns'],
    ['k8s.gcr.io/pause', 'pause'],
  ])('may be %s', (text, name) => {
    expect([parseSourceName(text), parseImageName(text)]).toEqual([name, name]);
  });

  test.each([
    ['pause:3.10', 'expected a name without a tag, found "pause:3.10"', /^write "pause", and/],
    ['a/pause@sha256:0', 'expected a name without a tag, found "a/pause@sha256:0"', /^write "a\/pause", and/],
    ['quay.io/app', '"quay.io/app" names another registry', /^move it to "extras"$/],
    ['localhost:5000/app', '"localhost:5000/app" names another registry', /^move it to "extras"$/],
  ])('may not be %s', (text, message, hint) => {
    expect(() => parseSourceName(text)).toThrow(
      expect.objectContaining({ code: 'REFERENCE_MALFORMED', message, hint: expect.stringMatching(hint) }),
    );
  });

  test.each(['', 'Pause', 'a//b', 'https://registry.k8s.io/pause'])('is not %j either', (text) => {
    expect(() => parseSourceName(text)).toThrow(expect.objectContaining({ code: 'REFERENCE_MALFORMED' }));
  });
});

test('a name of any registry keeps its host', () => {
  expect(parseImageName('quay.io/team/app')).toBe('quay.io/team/app');
  expect(() => parseImageName('quay.io/team/app:v1')).toThrow('expected a name without a tag');
});

describe.each([parseSourceName, parseImageName, parsePrefix, parseExtra])('%o', (parse) => {
  test.each(['me:secret@quay.io/a:1', 'https://me:secret@quay.io/A', 'me:secret@quay.io'])(
    'refuses the login in %s, and does not repeat it',
    (text) => {
      expect(() => parse(text)).toThrow(
        expect.objectContaining({
          code: 'REFERENCE_MALFORMED',
          message: 'it contains a user name and a password, which are not read from there',
          about: expect.not.stringContaining('secret'),
          hint: expect.not.stringContaining('secret'),
        }),
      );
    },
  );
});

describe('a prefix', () => {
  test.each([
    ['', ''],
    ['sig-storage/', 'sig-storage/'],
    ['registry.k8s.io/sig', 'sig'],
    ['k8s.gcr.io/dns/', 'dns/'],
  ])('%j is %j', (text, prefix) => {
    expect(parsePrefix(text)).toBe(prefix);
  });

  test.each([
    ['sig-*', 'no repository name starts with "sig-*"', 'a prefix needs no star: write "sig-"'],
    ['sig-**', 'no repository name starts with "sig-**"', 'a prefix needs no star: write "sig-"'],
    [
      'Sig',
      'no repository name starts with "Sig"',
      'names are lower-case letters, digits, ".", "_", "-" and "/"',
    ],
    [
      '/sig',
      'no repository name starts with "/sig"',
      'names are lower-case letters, digits, ".", "_", "-" and "/"',
    ],
    [
      'quay.io/',
      '"quay.io/" names another registry',
      'name the images of other registries one by one in "extras"',
    ],
  ])('%j is refused', (text, message, hint) => {
    expect(() => parsePrefix(text)).toThrow(
      expect.objectContaining({ code: 'REFERENCE_MALFORMED', message, hint }),
    );
  });
});

describe('an extra', () => {
  test.each([
    ['quay.io/app', 'quay.io/app', 'quay.io/app'],
    ['quay.io/team/app:v1', 'quay.io/team/app:v1', 'quay.io/team/app'],
    ['k8s.gcr.io/pause:3.1', 'registry.k8s.io/pause:3.1', 'registry.k8s.io/pause'],
    ['localhost/app:v1', 'localhost/app:v1', 'localhost/app'],
    [`quay.io/app:v1@${DIGEST}`, `quay.io/app:v1@${DIGEST}`, 'quay.io/app'],
  ])('%s is %s, called %s', (text, reference, name) => {
    expect(formatReference(parseExtra(text))).toBe(reference);
    expect(extraName(parseReference(reference))).toBe(name);
  });

  test.each([['nginx:1.29', 'expected host/path[:tag], found "nginx:1.29" without a host']])(
    '%s is refused',
    (text, message) => {
      expect(() => parseExtra(text)).toThrow(
        expect.objectContaining({ code: 'REFERENCE_MALFORMED', message }),
      );
    },
  );
});
