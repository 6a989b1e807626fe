import { expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import type { LearntTags } from '../../src/config/kubernetes/kubeadm-tags.ts';
import {
  type KubernetesVersion,
  parseKubernetesVersion,
} from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import { resolveCluster } from '../../src/sync/plan/cluster-resolution.ts';

const version = (text: string) => parseKubernetesVersion(text, 'test');

const learntOf = (text: KubernetesVersion): LearntTags => ({
  version: text,
  tags: { etcd: parseTag(`9.0.0-${text}`), coredns: parseTag('v1.15.0'), pause: parseTag('3.11') },
  origin: `kubernetes v${text}`,
});

/** A source with some versions, and a maker that answers for all but some, and has none of others. */
function world(
  kubernetes: string[],
  listed: string[] | 'nothing' | Error,
  silentOn: string[] = [],
  absent: string[] = [],
) {
  const set = parseImageSet(parseDocument('image_set.json', JSON.stringify({ kubernetes })));
  const asked: string[] = [];
  const lists: string[] = [];
  const kept: LearntTags[] = [];
  const resolve = (learnt: readonly LearntTags[] = []) =>
    resolveCluster(set, {
      list: async () => {
        lists.push('kube-apiserver');
        if (listed instanceof Error) throw listed;
        if (listed === 'nothing') return undefined;
        return { tags: listed.map((text) => parseTag(`v${text}`)), children: [], manifests: new Map() };
      },
      learnt,
      onLearnt: (tags) => kept.push(tags),
      maker: {
        kubeadmTags: async (one) => {
          asked.push(one);
          if (absent.includes(one)) return { found: undefined, troubles: [`no ${one}`], isAbsent: true };
          return silentOn.includes(one) || silentOn.includes('all')
            ? { found: undefined, troubles: ['dl.k8s.io: nobody there'] }
            : { found: learntOf(one), troubles: [] };
        },
      },
      signal: new AbortController().signal,
    });
  return { resolve, asked, lists, kept };
}

const told = ({ words }: Awaited<ReturnType<typeof resolveCluster>>) =>
  words.map(({ word, versions }) => [word, ...versions.map((each) => `${each.version} ${each.origin}`)]);

it('asks nobody for what the built-in table knows', async () => {
  const here = world(['1.37.1', '1.36.0'], ['1.38.0']);
  const resolved = await here.resolve();
  expect([here.asked, here.lists, resolved.notices, here.kept]).toEqual([[], [], [], []]);
  expect(told(resolved)).toEqual([
    ['1.37.1', '1.37.1 table'],
    ['1.36.0', '1.36.0 table'],
  ]);
});

it('asks the maker once about each version that the source has and nobody knows, and never again', async () => {
  const here = world(['latest', '1.98', 'latest-1'], ['1.98.1', '1.98.0', '1.37.1', '1.99.0-rc.0']);
  const first = await here.resolve();
  expect(here.asked).toEqual(['1.98.1', '1.98.0']);
  expect(here.lists).toHaveLength(1);
  expect(told(first)).toEqual([
    ['latest', '1.98.1 kubernetes v1.98.1'],
    ['1.98', '1.98.1 kubernetes v1.98.1', '1.98.0 kubernetes v1.98.0'],
    ['latest-1'],
  ]);
  expect(here.kept.map((each) => each.version)).toEqual(['1.98.1', '1.98.0']);
  expect(first.notices).toEqual([]);
  const second = await here.resolve([...here.kept]);
  expect(here.asked).toHaveLength(2);
  expect(here.kept).toHaveLength(2);
  expect(told(second)).toEqual(told(first));
});

it('gives a set the tags that were learnt, and keeps a word for which nothing is there', async () => {
  const { set } = await world(['latest', 'latest-1'], ['1.98.0']).resolve();
  expect(set.releases.map(({ text, word }) => [text, word])).toEqual([
    ['1.98.0', 'latest'],
    ['latest-1', 'latest-1'],
  ]);
  const etcd = set.clusterImages.get('etcd')?.needs.map(({ text }) => text);
  expect(etcd).toEqual(['9.0.0-1.98.0', 'latest-1']);
});

it('warns at the line of the set where the maker is asked in vain, once for each minor', async () => {
  const patches = ['1.98.4', '1.98.3', '1.98.2', '1.98.1', '1.98.0'];
  const here = world(['1.98', '1.98.4', '1.21'], [...patches, '1.21.3'], ['all']);
  const { notices, words } = await here.resolve();
  // Four at once, the newest of each minor first, and then no more.
  expect(here.asked).toEqual(['1.98.4', '1.21.3', '1.98.3', '1.98.2']);
  expect(here.kept).toEqual([]);
  expect(notices.map(({ place, message }) => `${place.column} ${message}`)).toEqual([
    expect.stringMatching(
      /^16 the images of kubeadm 1\.98\.4 are not known yet, so those of 1\.\d+\.\d+ are used \(etcd .*; failed requests: dl\.k8s\.io: nobody there$/,
    ),
    '32 the images of kubeadm 1.21.3 are unknown, and so are those of older versions; failed requests: dl.k8s.io: nobody there',
  ]);
  expect(words.map(({ versions }) => versions.map(({ origin }) => origin.split(',')[0]))).toEqual([
    Array(5).fill('last known'),
    ['last known'],
    ['nobody'],
  ]);
});

it('goes on with other minors where the maker does not answer for one', async () => {
  const here = world(['1.98', '1.97'], ['1.98.1', '1.98.0', '1.97.1', '1.97.0'], ['1.98.1']);
  await here.resolve();
  expect(here.asked).toEqual(['1.98.1', '1.97.1', '1.98.0', '1.97.0']);
  expect(here.kept.map((each) => each.version)).toEqual(['1.97.1', '1.98.0', '1.97.0']);
});

it('goes on with a minor of which the source has versions that the maker never released', async () => {
  const own = ['1.98.9', '1.98.8', '1.98.7', '1.98.6', '1.98.5'];
  const here = world(['1.98', '1.97'], [...own, '1.98.0', '1.97.1'], [], own);
  const { notices } = await here.resolve();
  expect(here.kept.map((each) => each.version)).toEqual(['1.97.1', '1.98.0']);
  expect(notices.map(({ message }) => message.replace(/ are not known.* failed requests/, ''))).toEqual([
    'the images of kubeadm 1.98.9: no 1.98.9',
  ]);
});

it('tells of each version why it was asked for in vain, and not why others were', async () => {
  const own = ['1.99.9', '1.98.9'];
  const { notices } = await world(['latest', '1.98'], own, [], own).resolve();
  expect(notices.map(({ message }) => message.split('; ').slice(2))).toEqual([
    ['failed requests: no 1.99.9'],
    ['failed requests: no 1.98.9'],
  ]);
});

it('asks about a version that is named where the source does not list what it has', async () => {
  const here = world(['latest', '1.98.0', '1.98'], new Error('no list'));
  const resolved = await here.resolve();
  expect(here.asked).toEqual(['1.98.0']);
  expect(told(resolved)).toEqual([['latest'], ['1.98.0', '1.98.0 kubernetes v1.98.0'], ['1.98']]);
  expect(resolved.words.map(({ isOpen }) => isOpen)).toEqual([true, false, true]);
  expect(resolved.listFailure).toEqual(new Error('no list'));
});

it.each<[string, string[] | 'nothing']>([
  ['has no kube-apiserver', 'nothing'],
  ['lists none', []],
])('asks the maker about nothing where the source %s', async (_, listed) => {
  const here = world(['latest', '1.98.0', '1.98', 'supported'], listed);
  const { set, words, notices } = await here.resolve();
  expect([here.asked, notices, words.flatMap(({ versions }) => versions)]).toEqual([[], [], []]);
  expect(set.releases.map(({ text }) => text)).toEqual(['latest', '1.98.0', '1.98', 'supported']);
  expect(words.some(({ isOpen }) => isOpen)).toBe(false);
});

it('ends with the reason of the signal', async () => {
  const set = parseImageSet(parseDocument('image_set.json', '{"kubernetes":["latest"]}'));
  const end = new AbortController();
  const list = async () => {
    end.abort(new Error('stopped'));
    throw new Error('aborted');
  };
  const resolved = resolveCluster(set, { list, learnt: [], maker: undefined, signal: end.signal });
  await expect(resolved).rejects.toThrow('stopped');
});

it('knows the tags of a version that is in neither table nor state from the maker alone', async () => {
  const here = world(['1.98.0'], ['1.98.0']);
  const { set } = await here.resolve([learntOf(version('1.97.0'))]);
  expect(set.clusterImages.get('etcd')?.needs.map(({ text }) => text)).toEqual(['9.0.0-1.98.0']);
});
