import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readImageSet } from '../../src/config/configuration-file.ts';
import { parseDocument } from '../../src/config/document.ts';
import { type ImageSet, parseImageSet } from '../../src/config/image-set.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { formatPlatform } from '../../src/registry/oci/platform.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import {
  couldWantBelow,
  type OfferedTag,
  platformsFor,
  selectTags,
  wantsRepository,
} from '../../src/sync/select/selection.ts';
import { isSignatureTag } from '../../src/sync/select/signature-tag.ts';

const calm = new AbortController().signal;

const DIGEST = digestOf(Buffer.from('an image'));
const SIGNATURE = `sha256-${DIGEST.slice(7)}`;

function imageSet(content: object): ImageSet {
  return parseImageSet(parseDocument('image_set.json', JSON.stringify(content)));
}

function offered(...tags: (string | [string, string])[]): OfferedTag[] {
  return tags.map((tag) =>
    typeof tag === 'string'
      ? { tag: parseTag(tag) }
      : { tag: parseTag(tag[0]), uploaded: new Date(`${tag[1]}T00:00:00Z`) },
  );
}

function wantedTags(...asked: Parameters<typeof selectTags>) {
  return selectTags(...asked).tags;
}

describe('repositories', () => {
  const set = imageSet({
    names: ['kube-apiserver', 'dns/k8s-dns-arm-node'],
    prefixes: ['sig-storage/csi', 'autoscaling/'],
    exclude: ['-arm', 'old/'],
  });

  test.each<[string, boolean]>([
    ['kube-apiserver', true],
    ['kube-apiserver-amd64', false],
    ['dns/k8s-dns-arm-node', true],
    ['sig-storage/csi-provisioner', true],
    ['sig-storage/csi-provisioner-arm64', false],
    ['sig-storage/nfs', false],
    ['autoscaling/a/b', true],
    ['autoscaling/old/b', false],
    ['x/autoscaling/a', false],
  ])('%s wanted: %s', (name, wanted) => {
    expect(wantsRepository(set, name)).toBe(wanted);
  });

  test.each<[string, boolean]>([
    ['', true],
    ['dns', true],
    ['kube-apiserver', false],
    ['sig-storage', true],
    ['sig-storage/csi-x', true],
    ['sig-storage/nfs', false],
    ['sig', false],
    ['autoscaling/a', true],
    ['autoscaling/old', false],
    ['autoscaling/a-arm64', false],
  ])('below %s something could be wanted: %s', (path, could) => {
    expect(couldWantBelow(set, path)).toBe(could);
  });

  test('a walk that leaves out what could not be wanted misses nothing', () => {
    const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'a-b'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        path,
        fc.array(path),
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '/', '-'), maxLength: 5 })),
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '/', '-'), minLength: 2, maxLength: 3 })),
        (sought, names, prefixes, exclude) => {
          const random = imageSet({
            names: [...names.map((name) => name.join('/')), 'pause'],
            prefixes: prefixes.filter((prefix) => !/^[-/]/.test(prefix)),
            exclude,
          });
          if (!wantsRepository(random, sought.join('/'))) return;
          for (let depth = 0; depth < sought.length; depth += 1) {
            expect(couldWantBelow(random, sought.slice(0, depth).join('/'))).toBe(true);
          }
        },
      ),
    );
  });
});

describe('tags', () => {
  const tags = offered(
    'latest',
    'v1.34.0',
    'v1.36.1',
    'v1.35.2',
    'v1.37.0-rc.0',
    'v1.36.1-amd64',
    `${SIGNATURE}.sig`,
    SIGNATURE,
  );

  test('are wanted as the filter says, and those of signatures never', () => {
    const set = imageSet({ names: ['a'], tags: { semver: '>=1.35' } });
    expect(wantedTags(set, 'a', tags)).toEqual(['v1.36.1', 'v1.36.1-amd64', 'v1.35.2']);
    expect(wantedTags(imageSet({ names: ['a'] }), 'a', tags)).toEqual([
      'v1.37.0-rc.0',
      'v1.36.1',
      'v1.36.1-amd64',
      'v1.35.2',
      'v1.34.0',
      'latest',
    ]);
  });

  test('exclude drops tags also of images that are named, and signatures never count', () => {
    const set = imageSet({ names: ['a'], exclude: ['-amd64', 'rc', 'latest'] });
    expect(wantedTags(set, 'a', tags)).toEqual(['v1.36.1', 'v1.35.2', 'v1.34.0']);
  });

  test('a patch takes the place of the filter for all', () => {
    const set = imageSet({
      names: ['a', 'b', 'c'],
      tags: { latest: 1 },
      patches: [
        { match: 'a', tags: { semver: '1.35.x' } },
        { match: 'b', tags: {}, platforms: ['linux/arm64'] },
        { match: 'c', name: 'd', platforms: [] },
      ],
    });
    expect(wantedTags(set, 'a', tags)).toEqual(['v1.35.2']);
    expect(wantedTags(set, 'b', tags)).toHaveLength(6);
    expect(wantedTags(set, 'c', tags)).toEqual(['v1.36.1']);
    expect(platformsFor(set, 'a')).toBeUndefined();
    expect(platformsFor(set, 'b')?.map(formatPlatform)).toEqual(['linux/arm64']);
    expect(platformsFor(set, 'c')).toEqual([]);
  });

  test('extras give their named tags, and all others only where they stand without a tag too', () => {
    const set = imageSet({
      extras: [
        'ghcr.io/a/b:latest',
        'ghcr.io/a/b:v1.34.0',
        'quay.io/c/d',
        'quay.io/c/d:v1.36.1-amd64',
        'quay.io/e/f',
      ],
      exclude: ['latest', '-amd64'],
      tags: { semver: '>=1.35' },
      patches: [{ match: 'quay.io/e/f', tags: { latest: 1 } }],
    });
    expect(wantedTags(set, 'ghcr.io/a/b', tags)).toEqual(['v1.34.0', 'latest']);
    expect(wantedTags(set, 'quay.io/c/d', tags)).toEqual(['v1.36.1', 'v1.36.1-amd64', 'v1.35.2']);
    expect(wantedTags(set, 'quay.io/e/f', tags)).toEqual(['v1.36.1']);
  });

  test('of any shape are chosen from what is offered, none twice, none that names a signature', () => {
    const tag = fc
      .stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,40}$/)
      .map((text) => ({ tag: parseTag(text) }));
    const filter = fc.record(
      {
        semver: fc.constantFrom('*', '>=1', '<2'),
        latest: fc.integer({ min: 1, max: 9 }),
        regex: fc.constantFrom('.', '^v'),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(tag), filter, (some, filters) => {
        const chosen = selectTags(imageSet({ names: ['a'], tags: filters }), 'a', some).tags;
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(chosen.every((one) => some.some((other) => other.tag === one) && !isSignatureTag(one))).toBe(
          true,
        );
        if (filters.latest !== undefined) expect(chosen.length).toBeLessThanOrEqual(filters.latest);
      }),
    );
  });
});

test('the set of this repository wants recent releases only', async () => {
  const set = await readImageSet('image_set.json', calm);
  const kubernetes = offered(
    'v1.34.9',
    'v1.35.0',
    'v1.36.4',
    'v1.37.1',
    'v1.38.0-alpha.1',
    'v1.37.0-rc.1',
    `${SIGNATURE}.sig`,
  );
  expect(wantedTags(set, 'kube-apiserver', kubernetes)).toEqual(['v1.37.1', 'v1.36.4', 'v1.35.0']);
  const etcd = offered('3.6.5-0', '3.6.6-0', '3.7.0-0', '3.7.0-rc.0-0', 'v3.6.11', 'v3.5.31-arm64');
  expect(wantedTags(set, 'etcd', etcd)).toEqual(['3.7.0-0', '3.6.6-0']);
  expect(wantedTags(set, 'pause', offered('3.9', '3.10', '3.10.2', 'latest', '3.10-amd64'))).toEqual([
    '3.10.2',
    '3.10',
  ]);
  const cni = offered('v1.9.1-flannel3', 'v1.6.0-flannel1', 'v1.9.1-flannel3-amd64');
  expect(wantedTags(set, 'ghcr.io/flannel-io/flannel-cni-plugin', cni)).toEqual(['v1.9.1-flannel3']);
  const provisioner = offered(['v5.0.0', '2024-04-01'], ['v1.6.0', '2021-01-01'], 'canary', [
    'v6.0.0-rc1',
    '2026-01-01',
  ]);
  expect(wantedTags(set, 'sig-storage/csi-provisioner', provisioner)).toEqual(['v5.0.0']);
});
