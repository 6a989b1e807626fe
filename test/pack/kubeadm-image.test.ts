import { expect, it } from 'vitest';
import { BUILT_IN_KUBEADM } from '../../src/config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { packedKubeadmImage } from '../../src/pack/plan/kubeadm-image.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import { plannedImage } from './planned-image.ts';

const KUBERNETES = parseKubernetesVersion('1.37.1', 'test');

it.each<[string, string, string[], string | undefined]>([
  ['a program', 'kube-proxy', ['registry.k8s.io/kube-proxy:v1.37.1'], 'registry.k8s.io/kube-proxy:v1.37.1'],
  [
    'one of two, with the tag that kubeadm wants',
    'pause',
    ['docker.io/library/pause:3.9', 'docker.io/k/pause:3.10.2'],
    'docker.io/k/pause:3.10.2',
  ],
  [
    'the first of two with other tags',
    'etcd',
    ['quay.io/a/etcd:3.5.0', 'quay.io/b/etcd:3.5.1'],
    'quay.io/a/etcd:3.5.0',
  ],
  [
    "a path of one's own",
    'coredns',
    ['registry.example/k8s/coredns:v1.1.1'],
    'registry.example/k8s/coredns:v1.1.1',
  ],
  ['none', 'coredns', ['registry.k8s.io/pause:3.10.2'], undefined],
])('is %s: %s', (_, known, names, expected) => {
  const images = names.map((name) => plannedImage(name));
  const kubeadm = BUILT_IN_KUBEADM.answer(KUBERNETES);
  const found = packedKubeadmImage({ images, kubernetes: KUBERNETES, kubeadm }, known);
  expect(found === undefined ? undefined : formatReference(found.upstream)).toBe(expected);
});
