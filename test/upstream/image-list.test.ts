import { describe, expect, it } from 'vitest';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { readImageList } from '../../src/upstream/image-list.ts';
import { WrongAnswer } from '../../src/upstream/wrong-answer.ts';

const V1_38 = parseKubernetesVersion('1.38.0', 'a test');
const LIST = [
  'registry.k8s.io/kube-apiserver:v1.38.0',
  'registry.k8s.io/kube-proxy:v1.38.0',
  'registry.k8s.io/coredns/coredns:v1.15.0',
  'registry.k8s.io/pause:3.11',
  'registry.k8s.io/etcd:3.7.3-0',
];

function without(image: string): string {
  return LIST.filter((name) => !name.includes(`/${image}:`)).join('\n');
}

describe('readImageList', () => {
  it('returns the tags of what kubeadm lists, of a registry with a port too', () => {
    const tags = { etcd: '3.7.3-0', coredns: 'v1.15.0', pause: '3.11' };
    expect(readImageList(`${LIST.join('\n')}\n`, V1_38)).toEqual(tags);
    const moved = LIST.join('\r\n').replaceAll('registry.k8s.io', 'registry.test:5000/k8s');
    expect(readImageList(moved, V1_38)).toEqual(tags);
  });

  it.each([
    ['nothing', '', 'it is not for 1.38.0'],
    ['a list without etcd', without('etcd'), 'it contains no etcd'],
    ['a list without CoreDNS', without('coredns'), 'it contains no coredns'],
    ['a list without pause', without('pause'), 'it contains no pause'],
    ['images of another version', LIST.join('\n').replaceAll('1.38.0', '1.37.4'), 'it is not for 1.38.0'],
    ['a page', '<!DOCTYPE html>\n<html>', 'it is not a list of images'],
    [
      'a warning among them',
      `W1201 could not fetch a/version: x\n${LIST.join('\n')}`,
      'it is not a list of images',
    ],
    [
      'a tag that is no version',
      LIST.join('\n').replace('3.11', 'latest'),
      'its value for pause is not a version',
    ],
  ])('refuses %s', (_, text, why) => {
    expect(() => readImageList(text, V1_38)).toThrow(new WrongAnswer(why));
  });
});
