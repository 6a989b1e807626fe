import { expect, it } from 'vitest';
import { hasTakenBasename, isKubernetesImage, upstreamOf } from '../../src/pack/plan/known-image.ts';
import { formatReference, parseReference, parseTag } from '../../src/registry/oci/reference.ts';

it.each([
  ['kube-proxy', 'v1.36.2', 'registry.k8s.io/kube-proxy:v1.36.2'],
  ['kubernetes/pause', '3.10', 'registry.k8s.io/kubernetes/pause:3.10'],
  ['metrics-server', 'v0.8.0', 'registry.k8s.io/metrics-server/metrics-server:v0.8.0'],
  ['coredns', 'v1.8.4', 'registry.k8s.io/coredns/coredns:v1.8.4'],
  ['coredns', '1.7.0', 'registry.k8s.io/coredns:1.7.0'],
  ['quay.io/calico/node', 'v3.30.0', 'quay.io/calico/node:v3.30.0'],
  ['localhost/app', '1.0', 'localhost/app:1.0'],
])('%s %s is upstream at %s', (name, tag, upstream) => {
  expect(formatReference(upstreamOf(name, parseTag(tag), undefined))).toBe(upstream);
});

it('is upstream at the address that a file gives', () => {
  const given = parseReference('ghcr.io/me/pause');
  expect(formatReference(upstreamOf('pause', parseTag('3.10'), given))).toBe('ghcr.io/me/pause:3.10');
});

it.each([
  ['kube-proxy', true],
  ['kubernetes/kube-proxy', true],
  ['kube-proxy-s390x', true],
  ['kubectl', true],
  ['kube-state-metrics', false],
  ['etcd', false],
])('%s has the version of Kubernetes for its tag: %j', (name, is) => {
  expect(isKubernetesImage(name)).toBe(is);
});

it.each([
  ['registry.k8s.io/coredns/coredns', false],
  ['registry.k8s.io/kubernetes/kube-proxy', false],
  ['quay.io/me/coredns', true],
  ['docker.io/me/kube-proxy', true],
  ['quay.io/calico/node', false],
])('the basename of %s means another image in a mirror: %j', (upstream, is) => {
  expect(hasTakenBasename(parseReference(upstream))).toBe(is);
});
