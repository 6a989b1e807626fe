import { expect, it } from 'vitest';
import { kubeadmMinors } from '../../src/config/kubernetes/kubeadm-tags.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import { KEEL, noticesOf, problemsOf, resolve, type Wanted } from './resolving.ts';

const HEX = 'ab'.repeat(32);

it.each<[string, object, Wanted, string]>([
  [
    "Kubernetes' own images have its version",
    { name: 'kube-proxy', tag: 'auto' },
    {},
    'registry.k8s.io/kube-proxy:v1.37.1',
  ],
  [
    "kubeadm's images have what kubeadm wants",
    { name: 'pause', tag: 'auto' },
    {},
    'registry.k8s.io/pause:3.10.2',
  ],
  [
    'others have what goes with this Kubernetes',
    { name: 'flannel', tag: 'auto' },
    {},
    'ghcr.io/flannel-io/flannel:v0.28.9',
  ],
  ['a tag of the file stays', { name: 'flannel', tag: 'v0.1.0' }, {}, 'ghcr.io/flannel-io/flannel:v0.1.0'],
  [
    'a version that is asked for replaces that of the file',
    { name: 'kube-proxy', tag: 'v1.36.0' },
    {},
    'registry.k8s.io/kube-proxy:v1.37.1',
  ],
  [
    'an address of the file replaces the known one',
    { name: 'pause', tag: '3.10.2', image: 'quay.io/other/pause' },
    {},
    'quay.io/other/pause:3.10.2',
  ],
])('%s', (_, image, wanted, expected) => {
  const plan = resolve(JSON.stringify({ images: [image] }), { kube: '1.37.1', ...wanted });
  expect(plan.images.map(({ upstream }) => formatReference(upstream))).toEqual([expected]);
});

it('keeps a digest apart from the name', () => {
  const image = { name: 'tool', tag: 'v1', image: `e.org/tool@sha256:${HEX}` };
  const [plan] = resolve(JSON.stringify({ images: [image] }), { kube: '1.37.1' }).images;
  expect(plan?.digest).toBe(`sha256:${HEX}`);
  expect(plan?.upstream).toEqual({ host: 'e.org', repository: 'tool', tag: 'v1' });
});

it('tells of a pin that kubeadm does not want, where the file is for this Kubernetes', () => {
  const plan = resolve(JSON.stringify({ images: [{ name: 'pause', tag: '3.9' }] }), { kube: '1.37.1' });
  expect(noticesOf(plan)).toContain('kubeadm 1.37.1 needs pause 3.10.2, but the file pins 3.9');
});

it('refuses a digest of the Kubernetes that is replaced', () => {
  const images = [{ name: 'kube-proxy', tag: 'v1.36.0', image: `registry.k8s.io/kube-proxy@sha256:${HEX}` }];
  expect(problemsOf(JSON.stringify({ images }), { kube: '1.37.1' })).toEqual([
    `"registry.k8s.io/kube-proxy@sha256:${HEX}": this digest belongs to Kubernetes 1.36.0, but the package is for 1.37.1`,
  ]);
});

it.each(['arm', 'ghcr.io/acme/robot-arm', 'docker.io/arm/app', 'quay.io/acme/qemu-arm64'])(
  'takes the name %s, which says nothing of an architecture',
  (name) => {
    expect(problemsOf(JSON.stringify({ images: [{ name, tag: 'v1' }] }), { kube: '1.37.1' })).toEqual([]);
  },
);

it.each<[string, object, Wanted, string]>([
  [
    'auto for a Kubernetes without a table',
    { images: [{ name: 'pause', tag: 'auto' }] },
    { kube: '1.21.14' },
    `"auto": packer does not know which pause belongs to Kubernetes 1.21.14 (known are 1.22 to 1.${kubeadmMinors().newest}); set its tag`,
  ],
  [
    'an image name for another architecture',
    { images: [{ name: 'kube-proxy-amd64', tag: 'v1.30.0' }] },
    { kube: '1.30.0', arch: 'arm64' },
    '"kube-proxy-amd64": kube-proxy-amd64 is an image for amd64, but the package is for arm64; remove the architecture from the name',
  ],
  [
    'the same image under two names',
    {
      images: [
        { name: 'coredns', tag: 'v1.14.6' },
        { name: 'coredns/coredns', tag: 'v1.14.6' },
      ],
    },
    { kube: '1.37.1' },
    '{"name":"coredns/coredns": coredns/coredns is the same image as coredns',
  ],
  [
    'two images with one name at the mirror',
    {
      images: [
        { name: 'sig-storage/controller', tag: 'v1' },
        { name: 'ingress-nginx/controller', tag: 'v1' },
      ],
    },
    { kube: '1.37.1' },
    `{"name":"ingress-nginx/controller": registry.k8s.io/ingress-nginx/controller:v1 and registry.k8s.io/sig-storage/controller:v1 would both be pulled as ${KEEL}/controller:v1`,
  ],
])('refuses %s', (_, document, wanted, problem) => {
  expect(problemsOf(JSON.stringify(document), wanted)).toContain(problem);
});
