import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { kubeadmImages, kubeadmMinors } from '../../src/config/kubernetes/kubeadm-images.ts';
import { toKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseTag, type Tag } from '../../src/registry/oci/reference.ts';
import { newerReleases, releaseWishes } from '../../src/sync/select/release-wish.ts';

const { newest } = kubeadmMinors();
const VERSION = `1.${newest}.0`;
const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];

function setOf(...kubernetes: readonly string[]) {
  return parseImageSet(parseDocument('image_set.json', JSON.stringify({ kubernetes }, undefined, 1)));
}

function selection(tags: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, readonly Tag[]> {
  return new Map(Object.entries(tags).map(([name, each]) => [name, each.map((tag) => parseTag(tag))]));
}

/** What kubeadm of the version needs, but for what is left out. */
function complete(...without: readonly string[]) {
  const version = toKubernetesVersion(VERSION);
  const tags = version === undefined ? undefined : kubeadmImages(version)?.tags;
  const all: Record<string, readonly string[]> = {
    ...Object.fromEntries(PROGRAMS.map((name) => [name, [`v${VERSION}`]])),
    etcd: [tags?.etcd ?? ''],
    'coredns/coredns': [tags?.coredns ?? ''],
    pause: [tags?.pause ?? ''],
  };
  return selection(Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name))));
}

describe('a release asks for', () => {
  test('nothing more where all of it was found', () => {
    const wishes = releaseWishes(setOf(VERSION), complete());
    expect(wishes.map(({ isMet }) => isMet)).toEqual(Array.from({ length: 7 }, () => true));
  });

  test('each image that was not, at the place of the release', () => {
    const missing = releaseWishes(setOf('1.34', VERSION), complete('kube-proxy', 'pause')).filter(
      ({ isMet }) => !isMet,
    );
    expect(missing.map(({ name, place }) => [name, place.line])).toEqual([
      [undefined, 3],
      ['kube-proxy', 4],
      ['pause', 4],
    ]);
  });

  test('itself, where none of its programs was found, though others share its etcd', () => {
    const wishes = releaseWishes(setOf(VERSION), complete(...PROGRAMS));
    expect(wishes).toMatchObject([{ text: VERSION, isMet: false }]);
  });

  test('itself, where nothing was found at all', () => {
    expect(releaseWishes(setOf(VERSION), new Map())).toMatchObject([{ text: VERSION, isMet: false }]);
  });
});

describe('a release that is newer than what is known of kubeadm', () => {
  test.each<[what: string, kubernetes: string, tags: readonly string[], warned: boolean]>([
    ['is told for its minor', `1.${newest}`, [`v1.${newest}.0`, `v1.${newest}.99`], true],
    ['is not where it is only a candidate', `1.${newest}`, [`v1.${newest}.99-rc.1`], false],
    ['is not where it is of another minor', '1.34', [`v1.${newest}.99`], false],
    ['is not where one version is wanted', VERSION, [`v1.${newest}.99`], false],
    ['is not where all are known', `1.${newest}`, [`v1.${newest}.0`], false],
    ['is not where nothing was found', `1.${newest}`, [], false],
  ])('%s', (_what, kubernetes, tags, warned) => {
    const notices = newerReleases(setOf(kubernetes), selection({ 'kube-apiserver': tags }));
    expect(notices.map(({ place }) => place.line)).toEqual(warned ? [3] : []);
  });
});
