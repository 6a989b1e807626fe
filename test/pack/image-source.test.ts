import { describe, expect, it } from 'vitest';
import { isAtMaker, parseImageSource, pullCandidates } from '../../src/pack/plan/image-source.ts';
import { formatReference, parseReference } from '../../src/registry/oci/reference.ts';
import { KEEL, resolve } from './resolving.ts';

describe('parseImageSource', () => {
  it.each([
    ['upstream', { kind: 'upstream' }],
    [' upstream ', { kind: 'upstream' }],
    ['mirror.lan', { kind: 'mirror', host: 'mirror.lan', namespace: undefined }],
    ['localhost', { kind: 'mirror', host: 'localhost', namespace: undefined }],
    ['mirror:5000', { kind: 'mirror', host: 'mirror:5000', namespace: undefined }],
    ['mirror.lan/kube/images/', { kind: 'mirror', host: 'mirror.lan', namespace: 'kube/images' }],
  ])('%j', (text, source) => {
    expect(parseImageSource(text, '--image-source')).toEqual(source);
  });

  it.each(['keel', ''])('%j is no image source', (text) => {
    expect(() => parseImageSource(text, '--image-source')).toThrow(
      expect.objectContaining({
        code: 'IMAGE_SOURCE_MALFORMED',
        about: '--image-source',
        message: expect.stringContaining('does not specify a registry to pull images from'),
      }),
    );
  });

  it('a URL is no image source, and what to write is told', () => {
    expect(() => parseImageSource('https://mirror.lan/x', '--image-source')).toThrow(
      expect.objectContaining({ about: '--image-source', hint: 'write mirror.lan/x' }),
    );
  });
});

describe('pull candidates', () => {
  it.each([
    [
      'at a mirror of basenames',
      KEEL,
      'coredns',
      'v1.14.6',
      [
        `${KEEL}/coredns:v1.14.6`,
        `${KEEL}/coredns/coredns:v1.14.6`,
        `${KEEL}/coredns-amd64:v1.14.6`,
        `${KEEL}/coredns/coredns-amd64:v1.14.6`,
        `${KEEL}/coredns:v1.14.6-amd64`,
        `${KEEL}/coredns/coredns:v1.14.6-amd64`,
      ],
    ],
    [
      'at the registries themselves',
      'upstream',
      'flannel',
      'v0.28.9',
      [
        'ghcr.io/flannel-io/flannel:v0.28.9',
        'ghcr.io/flannel-io/flannel-amd64:v0.28.9',
        'ghcr.io/flannel-io/flannel:v0.28.9-amd64',
      ],
    ],
    [
      'never by a basename that a well-known image has',
      '127.0.0.1:5000',
      'scheduler-plugins/kube-scheduler',
      'v1',
      [
        '127.0.0.1:5000/scheduler-plugins/kube-scheduler:v1',
        '127.0.0.1:5000/scheduler-plugins/kube-scheduler-amd64:v1',
        '127.0.0.1:5000/scheduler-plugins/kube-scheduler:v1-amd64',
      ],
    ],
  ])('%s', (_, from, name, tag, expected) => {
    const plan = resolve(JSON.stringify({ images: [{ name, tag }] }), { kube: '1.37.1', from });
    expect(plan.images[0]?.candidates.map(({ reference }) => formatReference(reference))).toEqual(expected);
  });

  it('of an image without a tag are the plain ones', () => {
    const source = parseImageSource('mirror.lan', 'test');
    const candidates = pullCandidates(source, parseReference('e.org/tools/tool'), 'amd64');
    expect(candidates.map(({ reference }) => formatReference(reference))).toEqual([
      'mirror.lan/tool',
      'mirror.lan/tools/tool',
    ]);
  });

  it('say whether the architecture is in them', () => {
    const source = parseImageSource('upstream', 'test');
    const candidates = pullCandidates(source, parseReference('e.org/tool:v1'), 'arm64');
    expect(candidates.map(({ namesArchitecture }) => namesArchitecture)).toEqual([false, true, true]);
  });
});

it.each<[name: string, upstream: string, namesArchitecture: boolean, is: boolean]>([
  ['ghcr.io/org/app', 'ghcr.io/org/app:v1', false, true],
  ['ghcr.io/org/app-amd64', 'ghcr.io/org/app:v1', true, true],
  ['ghcr.io/org/app-amd64', 'ghcr.io/org/app:v1', false, false],
  ['ghcr.io/org/app-amd64/x', 'ghcr.io/org/app:v1', true, false],
  ['ghcr.io/app', 'ghcr.io/org/app:v1', false, false],
  ['ghcr.io/app-amd64', 'ghcr.io/org/app:v1', true, false],
  ['ghcr.io/else/org/app', 'ghcr.io/org/app:v1', false, false],
  ['quay.io/org/app', 'ghcr.io/org/app:v1', false, false],
])('%s is the maker’s own repository of %s (of one architecture: %s): %s', (name, upstream, arch, is) => {
  expect(isAtMaker(parseReference(name), parseReference(upstream), arch)).toBe(is);
});
