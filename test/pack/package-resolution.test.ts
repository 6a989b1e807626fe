import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readVersions } from '../../src/config/configuration-file.ts';
import { parseDocument } from '../../src/config/document.ts';
import { type Architecture, parseArchitecture } from '../../src/config/kubernetes/architecture.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { ConfigurationFailure } from '../../src/config/problem.ts';
import { parseVersions } from '../../src/config/versions.ts';
import { parseImageSource } from '../../src/pack/plan/image-source.ts';
import { parseBetaSuffix } from '../../src/pack/plan/package-name.ts';
import { resolvePackage } from '../../src/pack/plan/package-resolution.ts';
import type { ComponentPlan, PackagePlan } from '../../src/pack/plan/plan.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';

interface Wanted {
  readonly kube?: string;
  readonly arch?: Architecture;
  readonly beta?: string;
  readonly from?: string;
}

const HEX = 'ab'.repeat(32);
const KEEL = 'registry.cn-hangzhou.aliyuncs.com/keel';

function resolve(text: string, wanted: Wanted = {}): PackagePlan {
  return resolvePackage(parseVersions(parseDocument('versions.json', text)), {
    kubeVersion:
      wanted.kube === undefined ? undefined : parseKubernetesVersion(wanted.kube, '--kube-version'),
    arch: wanted.arch,
    beta: parseBetaSuffix(wanted.beta ?? '', '--beta'),
    imageSource: parseImageSource(wanted.from ?? KEEL, '--image-source'),
  });
}

/** Returns each problem behind the value that stands at its place. */
function problemsOf(text: string, wanted: Wanted = {}): string[] {
  try {
    resolve(text, wanted);
  } catch (error) {
    if (!(error instanceof ConfigurationFailure)) throw error;
    return error.problems.map(({ place, message }) => {
      const line = text.split('\n')[place.line - 1] ?? '';
      return `${/^(?:"[^"]*"|\{[^,}]*|.)/.exec(line.slice(place.column - 1))?.[0]}: ${message}`;
    });
  }
  return [];
}

function upstreams(plan: PackagePlan): string[] {
  return plan.images.map(({ upstream }) => formatReference(upstream));
}

function checked({ check }: ComponentPlan): string[] {
  if (check.kind === 'pin') return [check.digest];
  return check.kind === 'none'
    ? ['none']
    : check.sources.map(({ url, fileName }) => `${url.href} ${fileName}`);
}

function noticesOf(plan: PackagePlan): string[] {
  return plan.notices.map(({ text }) => text);
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
    expect(noticesOf(plan)).toContain('kubeadm 1.22.2 wants coredns v1.8.4, the file pins 1.7.0');
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
      'containerd 2.2.7',
      'runc 1.3.6',
      'crictl 1.35.0',
      'cni 1.9.1',
      'etcd 3.6.6',
    ]);
    expect(
      plan.components.every(({ url }) => url.href.includes('arm64') && !url.href.includes('amd64')),
    ).toBe(true);
  });

  it.each(Array.from({ length: 16 }, (_, index) => `1.${22 + index}.0`))(
    "resolves the repository's own file for %s",
    async (kube) => {
      const versions = await readVersions('versions.json');
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
      'containerd 2.3.4',
      'runc 1.4.3',
      'crictl 1.37.0',
      'cni 1.9.1',
    ]);
  });

  it('sets kube-* images and binaries to the version that is asked for, and says so', () => {
    const plan = resolve(PLAIN, { kube: '1.22.5' });
    expect(upstreams(plan).slice(0, 4)).toEqual(KUBE_IMAGES.map((name) => `registry.k8s.io/${name}:v1.22.5`));
    expect(plan.components.find(({ name }) => name === 'kubelet')?.tag).toBe('1.22.5');
    expect(noticesOf(plan)).toEqual([
      'Kubernetes 1.22.5 takes the place of the 1.22.2 that versions.json names',
    ]);
  });

  it('refuses pins that belong to the version which the file was written for', () => {
    expect(problemsOf(PLAIN.replaceAll('},{', '},\n{'), { kube: '1.36.3' })).toEqual([
      '"3.5": pause 3.5 belongs to Kubernetes 1.22.0 to 1.22.17; 1.36.3 wants 3.10.2: write that, or "auto"',
      '"3.5.0-0": etcd 3.5.0-0 belongs to Kubernetes 1.22.0 to 1.22.16; 1.36.3 wants 3.6.8-0: write that, or "auto"',
      '"v1.8.4": coredns v1.8.4 belongs to Kubernetes 1.22.0 to 1.22.17; 1.36.3 wants v1.14.2: write that, or "auto"',
      '"1.5.7": containerd 1.5.7 does not go with Kubernetes 1.36.3: it works with containerd >=2.2.0; write another tag, or "auto"',
      '"1.22.0": crictl 1.22.0 does not go with Kubernetes 1.36.3: crictl 1.36 belongs to it; write another tag, or "auto"',
    ]);
  });

  it('tells of images that kubeadm wants and the package will not have', () => {
    const plan = resolve(
      '{"images": [{"name": "kube-proxy", "tag": "v1.30.1"}, {"name": "pause", "tag": "auto"}]}',
    );
    expect(noticesOf(plan)).toEqual([
      'kubeadm 1.30.1 also wants kube-apiserver, kube-controller-manager, kube-scheduler, etcd, coredns, which the package will not have',
    ]);
  });

  it.each<[string, object, Wanted, string]>([
    [
      'two versions of Kubernetes',
      {
        images: [
          { name: 'kube-proxy', tag: 'v1.22.2' },
          { name: 'kube-scheduler', tag: 'v1.22.1' },
        ],
        components: [{ name: 'kubelet', tag: '1.22.2' }],
      },
      {},
      '"v1.22.1": kube-scheduler is pinned to 1.22.1, but kube-proxy and one other are 1.22.2; one package holds one Kubernetes',
    ],
    [
      'a kube image with a tag that is no version of Kubernetes',
      {
        images: [
          { name: 'kube-proxy', tag: 'v1.22.2' },
          { name: 'kube-scheduler', tag: '3.4.7' },
        ],
      },
      {},
      '"3.4.7": kube-scheduler carries the version of Kubernetes, which "3.4.7" is not',
    ],
    [
      'a kube image by architecture, of another version',
      {
        images: [
          { name: 'kube-proxy-amd64', tag: 'v1.22.1' },
          { name: 'kube-scheduler', tag: 'v1.22.2' },
          { name: 'kube-apiserver', tag: 'v1.22.2' },
        ],
      },
      {},
      '"v1.22.1": kube-proxy-amd64 is pinned to 1.22.1, but kube-scheduler and one other are 1.22.2; one package holds one Kubernetes',
    ],
    [
      'a file that tells no version',
      { images: [{ name: 'pause', tag: '3.9' }] },
      {},
      '{"images":[{"name":"pause": nothing here tells the version of Kubernetes; give --kube-version, or kube-apiserver or kubelet a tag',
    ],
    [
      'auto for a Kubernetes without a table',
      { images: [{ name: 'pause', tag: 'auto' }] },
      { kube: '1.40.0' },
      '"auto": which pause belongs to Kubernetes 1.40.0 is not known (known are 1.22 to 1.37); write its tag',
    ],
    [
      'an unknown component without an address',
      { components: [{ name: 'contianerd', tag: '2.3.4' }] },
      { kube: '1.37.1' },
      '"contianerd": unknown component "contianerd"; did you mean "containerd"?; known are kubeadm, kubelet, kubectl, containerd, runc, crictl, nerdctl, cni-plugins, flannel-cni, helm, etcd, calicoctl, cilium-cli; any other needs a "uri"',
    ],
    [
      'an image name for another architecture',
      { images: [{ name: 'kube-proxy-amd64', tag: 'v1.30.0' }] },
      { kube: '1.30.0', arch: 'arm64' },
      '"kube-proxy-amd64": kube-proxy-amd64 is an image for amd64, the package is for arm64; leave the architecture out of the name',
    ],
    [
      'an address for another architecture',
      {
        components: [{ name: 'tool', tag: '1.0.0', uri: 'https://e.org/tool-linux-x86_64', sha256: 'none' }],
      },
      { kube: '1.30.0', arch: 'arm64' },
      '"https://e.org/tool-linux-x86_64": this is for amd64, the package is for arm64; write {{.Arch}} in its place',
    ],
    [
      'an address of another version',
      { components: [{ name: 'tool', tag: '1.0.0', uri: 'https://e.org/v1.1.0/tool', sha256: 'none' }] },
      { kube: '1.30.0' },
      '"https://e.org/v1.1.0/tool": this is version 1.1.0, the tag says 1.0.0; write {{.Tag}} in its place',
    ],
    [
      "a sha256 of the file's architecture, asked for another",
      { arch: 'amd64', components: [{ name: 'runc', tag: '1.4.3', sha256: HEX }] },
      { kube: '1.37.1', arch: 'arm64' },
      `"${HEX}": this sha256 belongs to amd64, the package is for arm64; write {"amd64": "…", "arm64": "…"}, or leave it out to check against the published one`,
    ],
    [
      'no sha256 for the architecture',
      { components: [{ name: 'runc', tag: '1.4.3', sha256: { amd64: HEX } }] },
      { kube: '1.37.1', arch: 'arm64' },
      `{"amd64":"${HEX}": there is no sha256 for arm64, for which the package is`,
    ],
    [
      'a sha256 of another version of Kubernetes',
      { components: [{ name: 'kubelet', tag: '1.37.0', sha256: HEX }] },
      { kube: '1.37.1' },
      `"${HEX}": this sha256 belongs to Kubernetes 1.37.0, the package is for 1.37.1; leave it out to check against the published one`,
    ],
    [
      'two downloads in one place',
      {
        components: [
          { name: 'runc', tag: '1.4.3' },
          { name: 'crun', tag: '1', uri: 'https://e.org/crun', path: 'runtime/containerd/bin/runc' },
        ],
      },
      { kube: '1.37.1' },
      '{"name":"crun": crun and runc would both be runtime/containerd/bin/runc in the package',
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
});

describe('pull candidates', () => {
  it.each([
    [
      'at a mirror of basenames',
      KEEL,
      'coredns',
      'v1.14.6',
      [
        `${KEEL}/coredns:v1.14.6`,
        `${KEEL}/coredns/coredns:v1.14.6`,
        `${KEEL}/coredns-amd64:v1.14.6`,
        `${KEEL}/coredns/coredns-amd64:v1.14.6`,
        `${KEEL}/coredns:v1.14.6-amd64`,
        `${KEEL}/coredns/coredns:v1.14.6-amd64`,
      ],
    ],
    [
      'at the registries themselves',
      'upstream',
      'flannel',
      'v0.28.9',
      [
        'ghcr.io/flannel-io/flannel:v0.28.9',
        'ghcr.io/flannel-io/flannel-amd64:v0.28.9',
        'ghcr.io/flannel-io/flannel:v0.28.9-amd64',
      ],
    ],
    [
      'never by a basename that a well-known image has',
      '127.0.0.1:5000',
      'scheduler-plugins/kube-scheduler',
      'v1',
      [
        '127.0.0.1:5000/scheduler-plugins/kube-scheduler:v1',
        '127.0.0.1:5000/scheduler-plugins/kube-scheduler-amd64:v1',
        '127.0.0.1:5000/scheduler-plugins/kube-scheduler:v1-amd64',
      ],
    ],
  ])('%s', (_, from, name, tag, expected) => {
    const plan = resolve(JSON.stringify({ images: [{ name, tag }] }), { kube: '1.37.1', from });
    expect(plan.images[0]?.candidates.map(({ reference }) => formatReference(reference))).toEqual(expected);
  });

  it.each(['keel', '', 'https://mirror.lan/x'])('%j is no image source', (text) => {
    expect(() => parseImageSource(text, '--image-source')).toThrow(
      expect.objectContaining({ about: '--image-source' }),
    );
  });
});

describe('parseBetaSuffix', () => {
  it.each([
    ['', undefined],
    ['false', undefined],
    ['true', 'beta'],
    ['beta', 'beta'],
    ['rc.1', 'rc.1'],
  ])('%j gives %s', (text, suffix) => {
    expect(parseBetaSuffix(text, '--beta')).toBe(suffix);
  });

  it.each(['a/b', '../x', 'a b', '-beta', 'x'.repeat(65)])('refuses %j', (text) => {
    expect(() => parseBetaSuffix(text, '--beta')).toThrow(
      expect.objectContaining({ code: 'BETA_MALFORMED' }),
    );
  });
});

describe('parseArchitecture', () => {
  it.each([
    ['amd64', 'amd64'],
    ['x86_64', 'amd64'],
    ['AARCH64', 'arm64'],
    ['s390x', 's390x'],
  ])('%s is %s', (text, arch) => {
    expect(parseArchitecture(text, '--arch')).toBe(arch);
  });

  it('refuses what Kubernetes has no servers for', () => {
    expect(() => parseArchitecture('arm', '--arch')).toThrow(
      expect.objectContaining({ code: 'ARCHITECTURE_UNKNOWN' }),
    );
  });
});
