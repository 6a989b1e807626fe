import { describe, expect, it } from 'vitest';
import {
  architectureOf,
  basenameOf,
  hasTakenBasename,
  isKnownAs,
  isKubernetesImage,
  upstreamOf,
} from '../../src/pack/plan/known-image.ts';
import { formatReference, parseReference, parseTag } from '../../src/registry/oci/reference.ts';

describe('upstreamOf', () => {
  it.each([
    ['kube-proxy', 'v1.37.1', undefined, 'registry.k8s.io/kube-proxy:v1.37.1'],
    ['pause', '3.10.2', undefined, 'registry.k8s.io/pause:3.10.2'],
    ['coredns', 'v1.14.6', undefined, 'registry.k8s.io/coredns/coredns:v1.14.6'],
    ['coredns', '1.7.0', undefined, 'registry.k8s.io/coredns:1.7.0'],
    ['coredns/coredns', 'v1.14.6', undefined, 'registry.k8s.io/coredns/coredns:v1.14.6'],
    ['flannel', 'v0.28.9', undefined, 'ghcr.io/flannel-io/flannel:v0.28.9'],
    ['quay.io/cilium/cilium', 'v1.18.0', undefined, 'quay.io/cilium/cilium:v1.18.0'],
    ['localhost/app', 'v1', undefined, 'localhost/app:v1'],
    ['registry:5000/app', 'v1', undefined, 'registry:5000/app:v1'],
    ['ingress-nginx/controller', 'v1', undefined, 'registry.k8s.io/ingress-nginx/controller:v1'],
    ['coredns', 'v1.14.6', 'mirror.lan/dns', 'mirror.lan/dns:v1.14.6'],
  ])('%s %s (with the address %s) is %s', (name, tag, given, expected) => {
    const address = given === undefined ? undefined : parseReference(given);
    expect(formatReference(upstreamOf(name, parseTag(tag), address))).toBe(expected);
  });
});

describe('architectureOf: a word is an architecture behind the name of a known image only', () => {
  it.each([
    ['kube-proxy-arm64', 'arm64'],
    ['kubernetes/kube-proxy-arm', 'arm'],
    ['registry.k8s.io/pause-s390x', 's390x'],
    ['metrics-server-ppc64le', 'ppc64le'],
    ['kube-proxy', undefined],
    ['arm', undefined],
    ['alarm', undefined],
    ['docker.io/arm/app', undefined],
    ['ghcr.io/acme/robot-arm', undefined],
    ['ghcr.io/acme/pause-arm', undefined],
    ['quay.io/acme/qemu-user-arm64', undefined],
    ['quay.io/acme/sqlite-x64', undefined],
  ])('%s: %s', (name, expected) => {
    expect(architectureOf(name)).toBe(expected);
  });
});

describe('isKubernetesImage', () => {
  it.each([
    ['kube-proxy', true],
    ['kubernetes/kube-proxy', true],
    ['kube-proxy-arm64', true],
    ['conformance', true],
    ['kube-state-metrics', false],
    ['scheduler-plugins/kube-scheduler', false],
    ['pause', false],
  ])('%s: %s', (name, expected) => {
    expect(isKubernetesImage(name)).toBe(expected);
  });
});

describe('isKnownAs', () => {
  it.each([
    ['pause', 'registry.k8s.io/pause', true],
    ['registry.example/google_containers/pause', 'registry.example/google_containers/pause', true],
    ['pause', 'docker.io/rancher/mirrored-pause', true],
    ['sandbox', 'registry.example/a/b/pause-arm64', true],
    ['pause-menu', 'docker.io/games/pause-menu', false],
    ['pause/tool', 'docker.io/pause/tool', false],
  ])('%s at %s is pause: %s', (name, upstream, expected) => {
    expect(isKnownAs({ name, upstream: parseReference(upstream) }, 'pause')).toBe(expected);
  });
});

describe('hasTakenBasename', () => {
  it.each([
    ['registry.k8s.io/coredns/coredns', false],
    ['docker.io/coredns/coredns', true],
    ['registry.k8s.io/kube-proxy', false],
    ['registry.k8s.io/kubernetes/kube-proxy', false],
    ['registry.k8s.io/scheduler-plugins/kube-scheduler', true],
    ['quay.io/cilium/cilium', false],
  ])('%s: %s', (upstream, expected) => {
    expect(hasTakenBasename(parseReference(upstream))).toBe(expected);
  });
});

it('a basename is the last part of a repository', () => {
  expect([basenameOf('a/b/c'), basenameOf('c')]).toEqual(['c', 'c']);
});
