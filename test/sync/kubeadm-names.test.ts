import { expect, test } from 'vitest';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { kubeadmNames } from '../../src/sync/check/kubeadm-names.ts';

const HOST = parseHost('mirror.example:5000');
const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];

/** What a mirror with all images in one folder means to kubeadm, some of them elsewhere. */
function names(folder: string, elsewhere: Readonly<Record<string, string>> = {}) {
  const images = [...PROGRAMS, 'etcd', 'pause', 'coredns/coredns'].map((name) => {
    const own = name.slice(name.lastIndexOf('/') + 1);
    return [name, parseRepository(elsewhere[name] ?? `${folder}${own}`)] as const;
  });
  return kubeadmNames(HOST, new Map(images));
}

test.each<[string, ReturnType<typeof names>, object]>([
  ['one folder', names('keel/'), { image: 'mirror.example:5000/keel' }],
  ['none', names(''), { image: 'mirror.example:5000' }],
  [
    'CoreDNS in one of its own, as upstream',
    names('keel/', { 'coredns/coredns': 'keel/coredns/coredns' }),
    { image: 'mirror.example:5000/keel', dns: 'mirror.example:5000/keel/coredns' },
  ],
  [
    'etcd at the top',
    names('keel/', { etcd: 'etcd' }),
    { image: 'mirror.example:5000/keel', etcd: 'mirror.example:5000' },
  ],
])('%s can be used', (_what, found, repositories) => {
  expect(found).toEqual({ kind: 'usable', repositories });
});

test.each([
  ['pause', 'keel/pause-image', 'keel/pause'],
  ['kube-proxy', 'other/kube-proxy', 'keel/kube-proxy'],
  ['coredns/coredns', 'keel/coredns-coredns', 'keel/coredns'],
])('%s at %s is no name that kubeadm asks for', (name, found, expected) => {
  expect(names('keel/', { [name]: found })).toEqual({
    kind: 'unusable',
    misnamed: [{ name, expected, found }],
  });
});
