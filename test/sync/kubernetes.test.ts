import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { type ImageSet, parseImageSet } from '../../src/config/image-set.ts';
import { ConfigurationFailure } from '../../src/config/problem.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { locateImage } from '../../src/sync/check/image-location.ts';
import { newerReleases } from '../../src/sync/select/release-wish.ts';
import { couldWantBelow, selectTags, wantsRepository } from '../../src/sync/select/selection.ts';
import { unmatched } from '../../src/sync/select/unmatched.ts';
import { fillRegistry } from '../support/images/fill.ts';
import { KUBERNETES_SET } from '../support/images/kubernetes-set.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';

function imageSet(content: object): ImageSet {
  return parseImageSet(parseDocument('image_set.json', JSON.stringify(content)));
}

function problemsOf(content: object): string[] {
  try {
    imageSet(content);
  } catch (error) {
    if (!(error instanceof ConfigurationFailure)) throw error;
    return error.problems.map(({ place, message }) => `${place.line}:${place.column} ${message}`);
  }
  return [];
}

function select(set: ImageSet, name: string, ...offered: string[]): string[] {
  return selectTags(
    set,
    name,
    offered.map((tag) => ({ tag: parseTag(tag) })),
  ).tags;
}

const PROGRAM_TAGS = ['v1.35.9', 'v1.36.0', 'v1.36.12', 'v1.36.1-amd64', 'v1.36.3-rc.0', 'v1.37.1', 'latest'];

describe('"kubernetes" of an image set', () => {
  test.each<[string[], string[]]>([
    [['1.36'], ['v1.36.12', 'v1.36.0']],
    [['v1.36.x'], ['v1.36.12', 'v1.36.0']],
    [['1.37.1'], ['v1.37.1']],
    [
      ['v1.36.0', '1.37'],
      ['v1.37.1', 'v1.36.0'],
    ],
    [['1.36.3-rc.0'], ['v1.36.3-rc.0']],
  ])('%j wants of kube-apiserver %j, whatever filters and exclude say', (kubernetes, wanted) => {
    const set = imageSet({ kubernetes, exclude: ['-rc', 'v1'], tags: { semver: '>=9' } });
    expect(select(set, 'kube-apiserver', ...PROGRAM_TAGS)).toEqual(wanted);
  });

  test.each<[string, string, string[]]>([
    ['1.34', 'etcd', ['3.6.5-0', '3.6.4-0']],
    ['1.34.1', 'etcd', ['3.6.4-0']],
    ['1.37.1', 'etcd', ['3.7.0-0']],
    ['1.37', 'coredns/coredns', ['v1.14.6']],
    ['1.34', 'pause', ['3.10.1']],
  ])('%s wants of %s the tags that kubeadm of it does', (release, image, wanted) => {
    const offered = ['3.6.4-0', '3.6.5-0', '3.7.0-0', 'v1.12.1', 'v1.14.6', 'v1.14.7', '3.10', '3.10.1'];
    expect(select(imageSet({ kubernetes: [release] }), image, ...offered)).toEqual(wanted);
  });

  test('wants seven repositories and nothing below them', () => {
    const set = imageSet({ kubernetes: ['1.37'] });
    expect([...set.clusterImages.keys()].sort()).toEqual([
      'coredns/coredns',
      'etcd',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-proxy',
      'kube-scheduler',
      'pause',
    ]);
    expect([wantsRepository(set, 'etcd'), wantsRepository(set, 'kubectl')]).toEqual([true, false]);
    expect([couldWantBelow(set, 'coredns'), couldWantBelow(set, 'dns')]).toEqual([true, false]);
  });

  test('tells synctl check at which line it wants an image', () => {
    const set = imageSet({ kubernetes: ['1.36', '1.37'], names: ['pause'] });
    const place = (name: string) => {
      const image = { host: parseHost('registry.k8s.io'), repository: parseRepository(name) };
      const settings = { source: image.host, naming: 'basename', namespace: undefined } as const;
      const { wantedBy, destination } = locateImage(image, set, settings);
      return [destination, wantedBy?.column];
    };
    expect(place('coredns/coredns')).toEqual(['coredns', 16]);
    expect(place('pause')).toEqual(['pause', 40]);
    expect(place('kubectl')).toEqual(['kubectl', undefined]);
  });

  test('adds its tags to those that "names" and filters want of the same image', () => {
    const set = imageSet({ kubernetes: ['1.36.0'], names: ['kube-apiserver'], tags: { latest: 1 } });
    expect(select(set, 'kube-apiserver', ...PROGRAM_TAGS)).toEqual(['v1.37.1', 'v1.36.0']);
  });

  test('says that filters change nothing where only it asks for an image', () => {
    const patches = [
      { match: 'etcd', tags: { latest: 1 } },
      { match: 'pause', name: 'p' },
      { match: 'kube-proxy', tags: { latest: 1 } },
    ];
    const set = imageSet({ kubernetes: ['1.36'], prefixes: ['kube-'], patches });
    expect(set.notices.map(({ message }) => message)).toEqual([
      'the tags of "etcd" follow from "kubernetes", so "tags" changes nothing here',
    ]);
  });

  test('tells of versions that are newer than what is known of kubeadm', () => {
    const exact = imageSet({ kubernetes: ['1.36.99'] });
    expect(exact.notices.map(({ place, message }) => `${place.column} ${message.split('(')[0]}`)).toEqual([
      '16 the images of kubeadm 1.36.99 are not known here yet, so those of 1.36.4 are taken ',
    ]);
    const minor = imageSet({ kubernetes: ['1.36', '1.37'] });
    const found = new Map([
      ['kube-apiserver', ['v1.36.3', 'v1.36.99', 'v1.37.0'].map((tag) => parseTag(tag))],
    ]);
    expect(
      newerReleases(minor, found).map(({ place, message }) => [place.column, message.slice(0, 29)]),
    ).toEqual([[16, 'the images of kubeadm 1.36.99']]);
  });

  test.each<[string, unknown, string]>([
    [
      'no version',
      ['stable'],
      '1:16 expected a version of Kubernetes, found "stable" (write "1.37" for all releases of a minor, or "1.37.1" for one)',
    ],
    [
      'too new',
      ['1.37', '1.99'],
      '1:23 what kubeadm 1.99 needs is not known here; known are 1.22 to 1.37 (use a newer keel-pkg, or name the images in "names")',
    ],
    [
      'too old',
      ['1.21.3'],
      '1:16 what kubeadm 1.21 needs is not known here; known are 1.22 to 1.37 (name the images in "names")',
    ],
    ['a number', [1.37], '1:16 expected a text, found 1.37'],
    ['no list', '1.37', '1:15 expected a list [ … ], found "1.37"'],
  ])('that is wrong is told: %s', (_name, kubernetes, problem) => {
    expect(problemsOf({ kubernetes })).toEqual([problem]);
  });

  test('reports what the source lacks: the release where there is nothing of it, else each image', () => {
    const set = imageSet({ kubernetes: ['1.36', '1.37.1'] });
    const tags = (...texts: string[]) => texts.map((text) => parseTag(text));
    const found = new Map([
      ['kube-apiserver', tags('v1.36.2')],
      ['kube-controller-manager', tags('v1.36.2')],
      ['kube-scheduler', tags('v1.36.2')],
      ['kube-proxy', tags('v1.36.2')],
      ['etcd', tags('3.6.8-0')],
      ['pause', []],
    ]);
    expect(unmatched(set, found).map(({ kind, text, place }) => `${place.column} ${kind} ${text}`)).toEqual([
      '16 kubernetes coredns/coredns:v1.14.2',
      '16 kubernetes pause:3.10.2',
      '23 kubernetes 1.37.1',
    ]);
  });
});

describe('"cni" of an image set', () => {
  test('wants the three newest releases of each image of a plugin', () => {
    const set = imageSet({ cni: ['flannel'], tags: { semver: '>=99' }, exclude: ['-rc'] });
    expect(
      select(set, 'ghcr.io/flannel-io/flannel', 'v0.26.7', 'v0.27.0', 'v0.27.1-rc1', 'v0.28.9', 'v0.28.8'),
    ).toEqual(['v0.28.9', 'v0.28.8', 'v0.27.0']);
    expect(
      select(
        set,
        'ghcr.io/flannel-io/flannel-cni-plugin',
        'v1.9.1-flannel3',
        'v1.9.1-flannel3-amd64',
        'v1.9.1',
      ),
    ).toEqual(['v1.9.1-flannel3']);
    expect(unmatched(set, new Map()).map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'extra ghcr.io/flannel-io/flannel',
      'extra ghcr.io/flannel-io/flannel-cni-plugin',
    ]);
  });

  test('leaves the choice to a patch, and to an extra that wants all', () => {
    const set = imageSet({
      cni: ['calico'],
      extras: ['quay.io/calico/typha'],
      patches: [{ match: 'quay.io/calico/node', tags: { semver: '3.32.x' } }],
    });
    expect(select(set, 'quay.io/calico/node', 'v3.33.0', 'v3.32.2')).toEqual(['v3.32.2']);
    expect(select(set, 'quay.io/calico/typha', 'v3.33.0', 'nightly')).toEqual(['v3.33.0', 'nightly']);
  });

  test('tells which plugins it knows', () => {
    expect(problemsOf({ cni: ['flanel'] })).toEqual([
      '1:9 expected "calico", "cilium" or "flannel", found "flanel"; did you mean "flannel"?',
    ]);
  });
});

test('a mirror of a release holds exactly what kubeadm needs, and the next run has nothing to do', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  await fillRegistry(source, KUBERNETES_SET);
  const route = new SyncRoute({ source, destination, set: { kubernetes: ['1.36'] } });
  const programs = ['kube-apiserver', 'kube-controller-manager', 'kube-proxy', 'kube-scheduler'];
  const expected = [
    'coredns:v1.14.2',
    'etcd:3.6.8-0',
    ...programs.flatMap((name) => [`${name}:v1.36.2`, `${name}:v1.36.3`]),
    'pause:3.10.2',
  ];
  const first = await route.run();
  expect(outcomes(first.report)).toEqual(Object.fromEntries(expected.map((name) => [name, 'copied'])));
  expect(first.report.unmatched).toEqual([]);
  const second = await route.run();
  expect(second.report.totals).toMatchObject({ copied: 0, failed: 0, skipped: expected.length });

  route.wants({ kubernetes: ['1.36', '1.37.1'] });
  const third = await route.run();
  expect(third.report.unmatched.map(({ pattern }) => pattern)).toContain('1.37.1');
});
