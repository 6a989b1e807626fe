import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatReference,
  isRepository,
  isTag,
  parseHost,
  parseReference,
  parseRepository,
  startsWithHost,
} from '../../src/registry/oci/reference.ts';

const HEX = 'a'.repeat(64);

describe('a reference', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx'],
    ['nginx:1.29', 'docker.io/library/nginx:1.29'],
    ['bitnami/redis', 'docker.io/bitnami/redis'],
    ['docker.io/nginx', 'docker.io/library/nginx'],
    ['index.docker.io/library/nginx:1', 'docker.io/library/nginx:1'],
    ['registry-1.docker.io/a/b', 'docker.io/a/b'],
    ['registry.k8s.io/pause:3.10.2', 'registry.k8s.io/pause:3.10.2'],
    ['Registry.K8S.io/pause', 'registry.k8s.io/pause'],
    ['localhost/app', 'localhost/app'],
    ['localhost:5000/app:latest', 'localhost:5000/app:latest'],
    ['myhost:5000/app', 'myhost:5000/app'],
    ['10.0.0.5:5000/a/b/c', '10.0.0.5:5000/a/b/c'],
    ['[::1]:5000/app', '[::1]:5000/app'],
    [`quay.io/coreos/etcd@sha256:${HEX}`, `quay.io/coreos/etcd@sha256:${HEX}`],
    [`quay.io/coreos/etcd:v3@sha256:${HEX}`, `quay.io/coreos/etcd:v3@sha256:${HEX}`],
    ['host.example/a__b/c-d--e.f', 'host.example/a__b/c-d--e.f'],
  ])('%s means %s', (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full);
  });

  it.each([
    ['', 'it is empty'],
    ['https://registry.k8s.io/pause', 'this is an address and not the name of an image'],
    ['registry.k8s.io/', 'an empty path component'],
    ['registry.k8s.io/Pause', '"Pause"'],
    ['registry.k8s.io/a//b', 'an empty path component'],
    ['registry.k8s.io/../b', '".."'],
    ['registry.k8s.io/a:', 'the tag after ":" is empty'],
    ['registry.k8s.io/a:-x', '"-x" is not a tag'],
    [`registry.k8s.io/a:${'x'.repeat(129)}`, 'is not a tag'],
    ['registry.k8s.io/a@sha256:abc', 'is not a digest'],
    [`registry.k8s.io/a@sha256:${HEX.toUpperCase()}`, 'is not a digest'],
    ['a-.example:5000/x', 'is not a registry host'],
    ['host.example:70000/x', 'is not a registry host'],
    ['1.2.3.256/x', 'is not a registry host'],
    ['9007199254740993:5000/x', 'is not a registry host'],
    ['[::1::2]/x', 'is not a registry host'],
    [`host.example/${'a'.repeat(256)}`, 'has 256 characters'],
    ['host.example/a b', '"a b"'],
    ['host.example/a\n', '"a\n"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({
        code: 'REFERENCE_MALFORMED',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('tells how to write a repository with capitals', () => {
    expect(() => parseRepository('Library/Nginx')).toThrow(
      expect.objectContaining({ hint: 'repositories are lower case: library/nginx' }),
    );
  });

  it('is the same after writing and reading, whatever its parts', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const joint = fc.constantFrom('.', '_', '__', '-', '--');
    const component = fc
      .tuple(word, fc.array(fc.tuple(joint, word), { maxLength: 2 }))
      .map(([first, rest]) => first + rest.flat().join(''));
    const host = fc.constantFrom('registry.k8s.io', 'localhost:5000', '127.0.0.1:1', '[::1]:443');
    const name = fc.record({
      host,
      path: fc.array(component, { minLength: 1, maxLength: 4 }),
      tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: undefined }),
      digest: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: undefined }),
    });
    fc.assert(
      fc.property(name, ({ host: at, path, tag, digest }) => {
        const text = `${at}/${path.join('/')}${tag === undefined ? '' : `:${tag}`}${
          digest === undefined ? '' : `@sha256:${digest}`
        }`;
        const parsed = parseReference(text);
        expect(formatReference(parsed)).toBe(text);
        expect(parsed).toMatchObject({ host: at, repository: path.join('/') });
        expect(parsed.tag).toBe(tag);
      }),
    );
  });

  it('is either read, or refused with its own code, for any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        try {
          const { repository, tag } = parseReference(text);
          expect(isRepository(repository)).toBe(true);
          if (tag !== undefined) expect(isTag(tag)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'REFERENCE_MALFORMED' });
        }
      }),
    );
  });

  it('is read in linear time', () => {
    const started = performance.now();
    expect(() => parseReference(`host.example/${'a-'.repeat(50_000)}!`)).toThrow();
    expect(() => parseHost(`${'a.'.repeat(100)}!`)).toThrow();
    // Milliseconds; in the square of its length it would take minutes.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

it.each([
  ['pause', false],
  ['coredns/coredns', false],
  ['localhost/app', true],
  ['localhost', false],
  ['localhosts/app', false],
  ['quay.io/app', true],
  ['registry:5000/app', true],
  ['/app', false],
  ['app.v1', false],
])('%s starts with a host: %s', (text, is) => {
  expect(startsWithHost(text)).toBe(is);
});

it.each([
  ['user:password@', 'image reference'],
  ['[:@', '['],
])('what is nothing but a login, %j, is refused by some name', (text, about) => {
  expect(() => parseHost(text)).toThrow(expect.objectContaining({ code: 'REFERENCE_MALFORMED', about }));
});
