import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readVersions } from '../../src/config/configuration-file.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { NEWEST_CNI_PLUGINS } from '../../src/config/kubernetes/runtime-table.ts';
import { resolvePackage } from '../../src/pack/plan/package-resolution.ts';
import type { ComponentPlan, PackagePlan } from '../../src/pack/plan/plan.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import { knownRuntime } from '../support/known-releases.ts';
import { noticesOf, problemsOf, resolve } from './resolving.ts';

const calm = new AbortController().signal;

function upstreams(plan: PackagePlan): string[] {
  return plan.images.map(({ upstream }) => formatReference(upstream));
}

function checked({ check }: ComponentPlan): string[] {
  if (check.kind === 'pin' || check.kind === 'known') return [check.digest];
  return check.kind === 'none'
    ? ['none']
    : check.sources.map(({ url, fileName }) => `${url.href} ${fileName}`);
}

const KUBE_IMAGES = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];

/** What people have in their repositories: 1.22.2, only names and tags. */
const PLAIN = JSON.stringify({
  arch: 'amd64',
  images: [
    ...KUBE_IMAGES.map((name) => ({ name, tag: 'v1.22.2' })),
    { name: 'pause', tag: '3.5' },
    { name: 'etcd', tag: '3.5.0-0' },
    { name: 'coredns', tag: 'v1.8.4' },
  ],
  components: [
    { name: 'containerd', tag: '1.5.7' },
    { name: 'runc', tag: '1.0.2' },
    { name: 'crictl', tag: '1.22.0' },
    { name: 'kubelet', tag: '1.22.2' },
    { name: 'kubectl', tag: '1.22.2' },
    { name: 'cni', tag: '1.0.1' },
  ],
});

/** The same as the Go tool took it: every component with its address. */
const WITH_ADDRESSES = JSON.stringify({
  arch: 'amd64',
  images: [
    { name: 'kube-proxy', tag: 'v1.22.2' },
    { name: 'flannel', tag: '0.5.5' },
    { name: 'coredns', tag: '1.7.0' },
  ],
  components: [
    {
      name: 'containerd',
      tag: '1.5.7',
      uri: 'https://github.com/containerd/containerd/releases/download/v{{.Tag}}/containerd-{{.Tag}}-linux-{{.Arch}}.tar.gz',
    },
    {
      name: 'runc',
      tag: '1.0.2',
      uri: 'https://github.com/opencontainers/runc/releases/download/v{{.Tag}}/runc.{{.Arch}}',
    },
    { name: 'kubelet', tag: '1.22.2', uri: 'https://dl.k8s.io/v{{ .Tag }}/bin/linux/{{ .Arch }}/kubelet' },
  ],
});

const AUTO = JSON.stringify({
  images: [...KUBE_IMAGES, 'etcd', 'coredns', 'pause'].map((name) => ({ name, tag: 'auto' })),
  components: ['kubelet', 'containerd', 'runc', 'crictl', 'cni', 'etcd'].map((name) => ({
    name,
    tag: 'auto',
  })),
});

describe('resolvePackage', () => {
  it('resolves the form with only names and tags', () => {
    const plan = resolve(PLAIN, { beta: 'beta' });
    expect(plan.fileName).toBe('kube-1.22.2-amd64-beta.tar.gz');
    expect(upstreams(plan)).toEqual([
      'registry.k8s.io/kube-apiserver:v1.22.2',
      'registry.k8s.io/kube-controller-manager:v1.22.2',
      'registry.k8s.io/kube-scheduler:v1.22.2',
      'registry.k8s.io/kube-proxy:v1.22.2',
      'registry.k8s.io/pause:3.5',
      'registry.k8s.io/etcd:3.5.0-0',
      'registry.k8s.io/coredns/coredns:v1.8.4',
    ]);
    expect(plan.components.map(({ url, placement }) => [url.href, placement])).toEqual([
      [
        'https://github.com/containerd/containerd/releases/download/v1.5.7/containerd-1.5.7-linux-amd64.tar.gz',
        { kind: 'archive', folder: 'runtime/containerd/bin', strip: 'bin/' },
      ],
      [
        'https://github.com/opencontainers/runc/releases/download/v1.0.2/runc.amd64',
        { kind: 'file', path: 'runtime/containerd/bin/runc', executable: true },
      ],
      [
        'https://github.com/kubernetes-sigs/cri-tools/releases/download/v1.22.0/crictl-v1.22.0-linux-amd64.tar.gz',
        {
          kind: 'archive',
          folder: 'runtime/containerd/bin',
          strip: '',
          only: new Map([['crictl', 'crictl']]),
        },
      ],
      [
        'https://dl.k8s.io/release/v1.22.2/bin/linux/amd64/kubelet',
        { kind: 'file', path: 'kubernetes/bin/kubelet', executable: true },
      ],
      [
        'https://dl.k8s.io/release/v1.22.2/bin/linux/amd64/kubectl',
        { kind: 'file', path: 'kubernetes/bin/kubectl', executable: true },
      ],
      [
        'https://github.com/containernetworking/plugins/releases/download/v1.0.1/cni-plugins-linux-amd64-v1.0.1.tgz',
        { kind: 'archive', folder: 'kubernetes/cni', strip: '' },
      ],
    ]);
    expect(plan.components.flatMap(checked).slice(0, 4)).toEqual([
      'https://github.com/containerd/containerd/releases/download/v1.5.7/containerd-1.5.7-linux-amd64.tar.gz.sha256sum containerd-1.5.7-linux-amd64.tar.gz',
      'https://github.com/opencontainers/runc/releases/download/v1.0.2/runc.sha256sum runc.amd64',
      'https://github.com/kubernetes-sigs/cri-tools/releases/download/v1.22.0/crictl-v1.22.0-linux-amd64.tar.gz.sha256 crictl-v1.22.0-linux-amd64.tar.gz',
      'https://dl.k8s.io/release/v1.22.2/bin/linux/amd64/kubelet.sha256 kubelet',
    ]);
    expect(plan.notices).toEqual([]);
  });

  it("resolves the Go tool's form, whose addresses hold templates", () => {
    const plan = resolve(WITH_ADDRESSES);
    expect(upstreams(plan)).toEqual([
      'registry.k8s.io/kube-proxy:v1.22.2',
      'ghcr.io/flannel-io/flannel:0.5.5',
      'registry.k8s.io/coredns:1.7.0',
    ]);
    expect(plan.components.map(({ url }) => url.href)).toEqual([
      'https://github.com/containerd/containerd/releases/download/v1.5.7/containerd-1.5.7-linux-amd64.tar.gz',
      'https://github.com/opencontainers/runc/releases/download/v1.0.2/runc.amd64',
      'https://dl.k8s.io/v1.22.2/bin/linux/amd64/kubelet',
    ]);
    expect(plan.components.flatMap(checked)[2]).toBe(
      'https://dl.k8s.io/v1.22.2/bin/linux/amd64/kubelet.sha256 kubelet',
    );
    expect(noticesOf(plan)).toContain('kubeadm 1.22.2 needs coredns v1.8.4, but the file pins 1.7.0');
  });

  it('answers every auto for the version that is asked for', () => {
    const plan = resolve(AUTO, { kube: 'v1.35.2', arch: 'arm64' });
    expect(plan.fileName).toBe('kube-1.35.2-arm64.tar.gz');
    expect(plan.images.map(({ upstream }) => upstream.tag)).toEqual([
      ...KUBE_IMAGES.map(() => 'v1.35.2'),
      '3.6.6-0',
      'v1.13.1',
      '3.10.1',
    ]);
    expect(plan.components.map(({ name, tag }) => `${name} ${tag}`)).toEqual([
      'kubelet 1.35.2',
      `containerd ${knownRuntime(35).containerd}`,
      `runc ${knownRuntime(35).runc}`,
      'crictl 1.35.0',
      `cni ${NEWEST_CNI_PLUGINS}`,
      'etcd 3.6.6',
    ]);
    expect(
      plan.components.every(({ url }) => url.href.includes('arm64') && !url.href.includes('amd64')),
    ).toBe(true);
  });

  it.each(Array.from({ length: 16 }, (_, index) => `1.${22 + index}.0`))(
    "resolves the repository's own file for %s",
    async (kube) => {
      const versions = await readVersions('versions.json', calm);
      const plan = resolvePackage(versions, {
        kubeVersion: parseKubernetesVersion(kube, 'test'),
        imageSource: { kind: 'upstream' },
      });
      expect(plan.images).toHaveLength(versions.images.length);
      expect(plan.components).toHaveLength(versions.components.length);
    },
  );

  it("resolves the repository's own file as it stands, without a word", async () => {
    const plan = resolve(await readFile('versions.json', 'utf8'));
    expect(plan.notices).toEqual([]);
    expect(plan.fileName).toBe('kube-1.37.1-amd64.tar.gz');
    expect(plan.components.map(({ name, tag }) => `${name} ${tag}`)).toEqual([
      'kubeadm 1.37.1',
      'kubelet 1.37.1',
      'kubectl 1.37.1',
      `containerd ${knownRuntime(37).containerd}`,
      `runc ${knownRuntime(37).runc}`,
      'crictl 1.37.0',
      `cni ${NEWEST_CNI_PLUGINS}`,
    ]);
    expect(plan.addons.map(({ name, tag }) => `${name} ${tag}`)).toEqual([
      'flannel v0.28.9',
      'metrics-server v0.9.0',
    ]);
  });

  it('sets kube-* images and binaries to the version that is asked for, and says so', () => {
    const plan = resolve(PLAIN, { kube: '1.22.5' });
    expect(upstreams(plan).slice(0, 4)).toEqual(KUBE_IMAGES.map((name) => `registry.k8s.io/${name}:v1.22.5`));
    expect(plan.components.find(({ name }) => name === 'kubelet')?.tag).toBe('1.22.5');
    expect(noticesOf(plan)).toEqual(['Kubernetes 1.22.5 is packed instead of 1.22.2 from versions.json']);
  });

  it('tells of signers whose workflow or branch is left open', () => {
    const identity = 'https://github.com/org/app/.github/workflows/**';
    const signatures = { 'ghcr.io': { identity, issuer: 'https://token.actions.githubusercontent.com' } };
    const file = { images: [{ name: 'pause', tag: '3.10.2' }], signatures };
    expect(noticesOf(resolve(JSON.stringify(file), { kube: '1.37.1' }))).toContainEqual(
      expect.stringContaining(`"${identity}" accepts any workflow, any branch: write https://`),
    );
  });

  it('refuses pins that belong to the version which the file was written for', () => {
    expect(problemsOf(PLAIN.replaceAll('},{', '},\n{'), { kube: '1.36.3' })).toEqual([
      '"3.5": pause 3.5 belongs to Kubernetes 1.22.0 to 1.22.17, but 1.36.3 needs 3.10.2: set that tag, or "auto"',
      '"3.5.0-0": etcd 3.5.0-0 belongs to Kubernetes 1.22.0 to 1.22.16, but 1.36.3 needs 3.6.8-0: set that tag, or "auto"',
      '"v1.8.4": coredns v1.8.4 belongs to Kubernetes 1.22.0 to 1.22.17, but 1.36.3 needs v1.14.2: set that tag, or "auto"',
      '"1.5.7": containerd 1.5.7 does not match Kubernetes 1.36.3: it works with containerd >=2.3.0 || ~2.2.0; set another tag, or "auto"',
      '"1.22.0": crictl 1.22.0 does not match Kubernetes 1.36.3: crictl 1.36 matches it; set another tag, or "auto"',
    ]);
  });

  it('tells of images that kubeadm wants and the package will not have', () => {
    const plan = resolve(
      '{"images": [{"name": "kube-proxy", "tag": "v1.30.1"}, {"name": "pause", "tag": "auto"}]}',
    );
    expect(noticesOf(plan)).toEqual([
      'kubeadm 1.30.1 also needs kube-apiserver, kube-controller-manager, kube-scheduler, etcd, coredns, which the package will not contain',
    ]);
  });
});

it('knows an image that kubeadm wants by whatever it is called', () => {
  const images = [
    { name: 'registry.example/google_containers/etcd', tag: '3.5.12-0' },
    { name: 'pause', tag: 'auto', image: 'docker.io/rancher/mirrored-pause' },
    { name: 'kube-proxy', tag: 'v1.30.1' },
  ];
  expect(noticesOf(resolve(JSON.stringify({ images })))).toEqual([
    'kubeadm 1.30.1 also needs kube-apiserver, kube-controller-manager, kube-scheduler, coredns, which the package will not contain',
  ]);
});

it('tells of a policy that fits none of its images, with the nearest one, and of no other registry', () => {
  const file = {
    images: [{ name: 'kube-proxy', tag: 'v1.37.1' }],
    signatures: { 'registry.k8s.io/kube-prxy': 'off', 'registry.k8s.io/kube-proxy': 'off', 'quay.io': 'off' },
  };
  expect(noticesOf(resolve(JSON.stringify(file)))).toContain(
    '"registry.k8s.io/kube-prxy" under "signatures" matches no wanted image; did you mean "registry.k8s.io/kube-proxy"?',
  );
  expect(
    noticesOf(resolve(JSON.stringify(file))).filter((text) => text.includes('"signatures"')),
  ).toHaveLength(1);
});
