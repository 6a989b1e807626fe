import { describe, expect, test } from 'vitest';
import { clusterImages, clusterNeeds, openReleases } from '../../src/config/kubeadm-images.ts';
import {
  BUILT_IN_KUBEADM,
  KubeadmKnowledge,
  kubeadmMinors,
} from '../../src/config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import type { KubernetesWord } from '../../src/config/kubernetes/kubernetes-word.ts';
import { parseKubernetesWord } from '../../src/config/kubernetes/word-parser.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';

const { newest } = kubeadmMinors();
const MINOR = parseKubernetesWord(`1.${newest}`, 'test');
const VERSION = parseKubernetesWord(`1.${newest}.0`, 'test');

const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];

function needOf(release: KubernetesWord, name: string) {
  const need = clusterNeeds(release, BUILT_IN_KUBEADM).find((each) => each.name === name);
  if (need === undefined) throw new Error(`${name} is not needed`);
  return need;
}

test('one version needs its programs and what its kubeadm chooses', () => {
  const tags = VERSION.kind === 'version' ? BUILT_IN_KUBEADM.answer(VERSION.version)?.tags : undefined;
  expect(clusterNeeds(VERSION, BUILT_IN_KUBEADM).map(({ name, text }) => [name, text])).toEqual([
    ...PROGRAMS.map((name) => [name, `v1.${newest}.0`]),
    ['etcd', tags?.etcd],
    ['coredns/coredns', tags?.coredns],
    ['pause', tags?.pause],
  ]);
});

describe('the programs of a minor', () => {
  test.each([
    [`v1.${newest}.0`, true],
    [`v1.${newest}.17`, true],
    [`v1.${newest}.0-rc.1`, false],
    [`v1.${newest - 1}.0`, false],
    [`1.${newest}.0`, false],
    [`v1.${newest}`, false],
    [`v1.${newest}0.0`, false],
    ['latest', false],
  ])('are wanted as %s: %s', (tag, is) => {
    expect(needOf(MINOR, 'kube-proxy').wants(parseTag(tag))).toBe(is);
  });

  test('are told with a star', () => {
    expect(needOf(MINOR, 'kube-apiserver').text).toBe(`v1.${newest}.*`);
  });
});

test('one version wants exactly its tag', () => {
  const need = needOf(VERSION, 'kube-proxy');
  expect([`v1.${newest}.0`, `v1.${newest}.1`].map((tag) => need.wants(parseTag(tag)))).toEqual([true, false]);
});

test('several releases need an image together, each from its place', () => {
  const place = (line: number) => ({ file: 'image_set.json', line, column: 1 });
  const words = [
    { value: VERSION, place: place(1) },
    { value: MINOR, place: place(2) },
  ];
  const images = clusterImages(openReleases(words, BUILT_IN_KUBEADM));
  expect([...images.keys()].sort()).toEqual([...PROGRAMS, 'coredns/coredns', 'etcd', 'pause'].sort());
  expect(images.get('kube-proxy')).toMatchObject({
    places: [place(1), place(2)],
    needs: [{ text: `v1.${newest}.0` }, { text: `v1.${newest}.*` }],
  });
  expect(clusterImages([]).size).toBe(0);
});

const version = (text: string) => parseKubernetesVersion(text, 'test');
const tags = (etcd: string) => ({
  etcd: parseTag(etcd),
  coredns: parseTag('v1.15.0'),
  pause: parseTag('3.11'),
});

test.each<[string, string, string[], string[]]>([
  ['its table', '1.34', ['1.34.1'], ['3.6.4-0', '3.6.5-0']],
  ['those of its listed versions that were learnt', '1.98', ['1.98.1', '1.98.0'], ['9.9.0-0', '9.9.1-0']],
  ['those learnt, where nothing is listed yet', '1.98', [], ['9.9.0-0', '9.9.1-0']],
  ['the last ones known, where none of its versions is', '1.99', ['1.99.0'], ['9.9.1-0']],
  ['none that is known', '1.99', [], ['(of kubeadm 1.99)']],
  ['none that is known', '1.21', ['1.21.3'], ['(of kubeadm 1.21)']],
  ['none that is known', '1.21.3', [], ['(of kubeadm 1.21.3)']],
  ['the last one known, of a version that is there', '1.99.0', ['1.99.0'], ['9.9.1-0']],
  ['none that is known, of a version that is not there', '1.99.0', ['1.98.1'], ['(of kubeadm 1.99.0)']],
  ['the one learnt, wherever it is', '1.98.0', [], ['9.9.0-0']],
  ['none before it is resolved', 'latest', [], ['latest']],
  ['none before it is resolved', 'supported', [], ['supported']],
])('the etcd of a word is %s: %s', (_, word, listed, etcd) => {
  const kubeadm = new KubeadmKnowledge([
    { version: version('1.98.0'), tags: tags('9.9.0-0'), origin: 'test' },
    { version: version('1.98.1'), tags: tags('9.9.1-0'), origin: 'test' },
  ]);
  const needs = clusterNeeds(parseKubernetesWord(word, 'test'), kubeadm, listed.map(version));
  expect(needs.filter(({ name }) => name === 'etcd').map(({ text }) => text)).toEqual(etcd);
  expect(new Set(needs.map(({ name }) => name)).size).toBe(7);
});

test.each(['latest', 'supported'])('no tag is what "%s" needs before it is resolved', (word) => {
  const needs = clusterNeeds(parseKubernetesWord(word, 'test'), BUILT_IN_KUBEADM);
  expect(needs.some(({ wants }) => wants(parseTag(`v1.${newest}.0`)) || wants(parseTag(word)))).toBe(false);
});
