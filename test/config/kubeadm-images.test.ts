import { describe, expect, test } from 'vitest';
import { clusterImages, clusterNeeds } from '../../src/config/kubeadm-images.ts';
import { kubeadmMinors, kubeadmTags } from '../../src/config/kubernetes/kubeadm-tags.ts';
import {
  type KubernetesRelease,
  parseKubernetesRelease,
} from '../../src/config/kubernetes/kubernetes-release.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';

const { newest } = kubeadmMinors();
const MINOR = parseKubernetesRelease(`1.${newest}`);
const VERSION = parseKubernetesRelease(`1.${newest}.0`);

const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];

function needOf(release: KubernetesRelease, name: string) {
  const need = clusterNeeds(release).find((each) => each.name === name);
  if (need === undefined) throw new Error(`${name} is not needed`);
  return need;
}

test('one version needs its programs and what its kubeadm chooses', () => {
  const tags = VERSION.kind === 'version' ? kubeadmTags(VERSION.version)?.tags : undefined;
  expect(clusterNeeds(VERSION).map(({ name, text }) => [name, text])).toEqual([
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
  const images = clusterImages([
    { value: VERSION, place: place(1) },
    { value: MINOR, place: place(2) },
  ]);
  expect([...images.keys()].sort()).toEqual([...PROGRAMS, 'coredns/coredns', 'etcd', 'pause'].sort());
  expect(images.get('kube-proxy')).toMatchObject({
    places: [place(1), place(2)],
    needs: [{ text: `v1.${newest}.0` }, { text: `v1.${newest}.*` }],
  });
  expect(clusterImages([]).size).toBe(0);
});
