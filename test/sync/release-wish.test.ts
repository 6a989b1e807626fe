import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { parseTag, type Tag } from '../../src/registry/oci/reference.ts';
import { releaseWishes } from '../../src/sync/select/release-wish.ts';

const setOf = (...kubernetes: string[]) =>
  parseImageSet(parseDocument('image_set.json', JSON.stringify({ kubernetes })));

const found = (images: Record<string, string[]>): ReadonlyMap<string, readonly Tag[]> =>
  new Map(Object.entries(images).map(([name, tags]) => [name, tags.map((tag) => parseTag(tag))]));

describe('what a release of Kubernetes asks for', () => {
  const told = (images: Record<string, string[]>, ...kubernetes: string[]) =>
    releaseWishes(setOf(...kubernetes), found(images)).map(
      ({ text, isMet }) => `${isMet ? '+' : '-'}${text}`,
    );

  test('is its programs, and the tags that kubeadm of it needs', () => {
    const programs = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
    const images = Object.fromEntries(programs.map((name) => [name, ['v1.37.1']]));
    expect(told({ ...images, pause: ['3.10.2'], etcd: [] }, '1.37.1')).toEqual([
      '+1.37.1',
      ...programs.map((name) => `+${name}:v1.37.1`),
      '-etcd:3.7.0-0',
      '-coredns/coredns:v1.14.6',
      '+pause:3.10.2',
    ]);
  });

  test('is one wish, the release, where none of its programs is found', () => {
    expect(told({ pause: ['3.10.1'], 'kube-proxy': ['v1.36.9'] }, '1.37.1')).toEqual(['-1.37.1']);
  });
});
