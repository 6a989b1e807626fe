import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { type ImageSet, parseImageSet } from '../../src/config/image-set.ts';
import type { LearntTags } from '../../src/config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { ConfigurationFailure } from '../../src/config/problem.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { locateImage } from '../../src/sync/check/image-location.ts';
import { runSync } from '../../src/sync/run/run.ts';
import { couldWantBelow, selectTags, wantsRepository } from '../../src/sync/select/selection.ts';
import { unmatched } from '../../src/sync/select/unmatched.ts';
import { State } from '../../src/sync/state/state.ts';
import type { Asked } from '../../src/upstream/makers.ts';
import { fillRegistry } from '../support/images/fill.ts';
import { KUBERNETES_SET } from '../support/images/kubernetes-set.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
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
    ['1.33', 'coredns/coredns', ['v1.12.0']],
    ['1.34', 'pause', ['3.10.1']],
  ])('%s wants of %s the tags that kubeadm of it does', (release, image, wanted) => {
    const offered = [
      '3.6.4-0',
      '3.6.5-0',
      '3.7.0-0',
      'v1.12.0',
      'v1.12.1',
      'v1.14.6',
      'v1.14.7',
      '3.10',
      '3.10.1',
    ];
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

  test.each<[string, unknown, string]>([
    [
      'no version',
      ['stable'],
      '1:16 expected a version of Kubernetes, found "stable" (write "1.37" for all releases of a minor, "1.37.1" for one, "latest", "latest-1" or "supported")',
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

  test("wants the tag that upstream's list names too, whatever number of newer builds there is", () => {
    const set = imageSet({ cni: ['cilium'], exclude: ['cbec91f'] });
    const envoy = 'quay.io/cilium/cilium-envoy';
    const builds = [
      'v1.37.6-1789133542-cbec91f666af0bf742da986d43832932dbb26b82',
      'v1.37.6-1789900001-0b63d7cbf4f1a5c3e2d1f0a9b8c7d6e5f4a3b2c1',
      'v1.38.0-1790000001-1f2e3d4c5b6a79880716253443526170899aabbc',
      'v1.38.0-1790000000-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      'v1.36.10-1799999999-8f34575affde33ad364d1e669b953993bf1f4125',
    ];
    const others = ['latest', 'v1.38.0', 'a7f42a3390781539911b5b9107881b35ecc4e752', 'v1.38.0-1790000001'];
    expect(select(set, envoy, ...builds, ...others)).toEqual([builds[2], builds[3], builds[1], builds[0]]);
    expect(
      select(set, 'quay.io/cilium/certgen', 'v0.4.12', 'v0.4.2', 'v0.4.11', 'v0.4.10', 'v0.5.0-rc.1'),
    ).toEqual(['v0.4.12', 'v0.4.11', 'v0.4.10']);
    const script = [
      '1755531540-60ee83e',
      '1763560095-8f36c34',
      '1783560095-1234567',
      '1793560095-abcdef0',
      'main',
    ];
    expect(select(set, 'quay.io/cilium/startup-script', ...script)).toEqual([
      '1793560095-abcdef0',
      '1783560095-1234567',
      '1763560095-8f36c34',
      '1755531540-60ee83e',
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

test('what a maker said is kept, even if the run ends while another answer does not come', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  for (const tag of ['v1.98.1', 'v1.98.0']) seedImage(source.storage, 'kube-apiserver', { tags: [tag] });
  const route = new SyncRoute({ source, destination, set: { kubernetes: ['1.98'] } });
  const end = new AbortController();
  const tags = { etcd: parseTag('3.9.0-0'), coredns: parseTag('v1.20.0'), pause: parseTag('3.20') };
  const kubeadmTags = async (version: KubernetesVersion): Promise<Asked<LearntTags>> => {
    if (version === '1.98.1') return { found: { version, tags, origin: 'test' }, troubles: [] };
    setImmediate(() => end.abort(new Error('the time is over')));
    return new Promise((_, reject) => end.signal.addEventListener('abort', () => reject(end.signal.reason)));
  };
  const parts = { ...route.parts(), maker: { kubeadmTags }, signal: end.signal };
  await expect(runSync(route.settings(), parts)).rejects.toThrow('the time is over');
  using state = State.open(route.database, { reporter: route.parts().reporter, mode: 'read' });
  expect(state.learntTags()).toEqual([{ version: '1.98.1', tags, origin: 'test' }]);
});
