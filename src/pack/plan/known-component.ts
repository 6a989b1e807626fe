import type { Architecture } from '../../config/kubernetes/architecture.ts';

/** Where the checksum of a component is published: next to it with a suffix, or in a list in the same folder. */
type PublishedChecksum = { readonly suffix: string } | { readonly list: string };

/** The form of a component's download: one file, or an archive of which some or all files are wanted. */
type KnownContent =
  | { readonly kind: 'file'; readonly name: string }
  | {
      readonly kind: 'archive';
      /** The prefix that is removed from each entry's name; entries without it are not wanted. */
      readonly strip: string;
      /** The wanted files: from the name in the archive to the name in the package. If undefined, all are wanted. */
      readonly only?: ReadonlyMap<string, string> | undefined;
    };

/** What is known about a component. Its templates take `{{.Tag}}` without "v". */
export interface KnownComponent {
  readonly name: string;
  readonly uri: string;
  readonly checksum: PublishedChecksum;
  /** The folder of the package into which its files go. */
  readonly folder: string;
  readonly content: (version: string, arch: Architecture) => KnownContent;
}

const GITHUB = 'https://github.com';
const KUBERNETES_BIN = 'kubernetes/bin';
const RUNTIME_BIN = 'runtime/containerd/bin';

function kubernetesBinary(name: string): KnownComponent {
  return {
    name,
    uri: `https://dl.k8s.io/release/v{{.Tag}}/bin/linux/{{.Arch}}/${name}`,
    checksum: { suffix: '.sha256' },
    folder: KUBERNETES_BIN,
    content: () => ({ kind: 'file', name }),
  };
}

function only(...names: (string | readonly [string, string])[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => (typeof name === 'string' ? [name, name] : name)));
}

/** The addresses and forms of checksums that each project's release workflow produces. */
const COMPONENTS: readonly KnownComponent[] = [
  kubernetesBinary('kubeadm'),
  kubernetesBinary('kubelet'),
  kubernetesBinary('kubectl'),
  {
    name: 'containerd',
    uri: `${GITHUB}/containerd/containerd/releases/download/v{{.Tag}}/containerd-{{.Tag}}-linux-{{.Arch}}.tar.gz`,
    checksum: { suffix: '.sha256sum' },
    folder: RUNTIME_BIN,
    content: () => ({ kind: 'archive', strip: 'bin/' }),
  },
  {
    name: 'runc',
    uri: `${GITHUB}/opencontainers/runc/releases/download/v{{.Tag}}/runc.{{.Arch}}`,
    checksum: { list: 'runc.sha256sum' },
    folder: RUNTIME_BIN,
    content: () => ({ kind: 'file', name: 'runc' }),
  },
  {
    name: 'crictl',
    uri: `${GITHUB}/kubernetes-sigs/cri-tools/releases/download/v{{.Tag}}/crictl-v{{.Tag}}-linux-{{.Arch}}.tar.gz`,
    checksum: { suffix: '.sha256' },
    folder: RUNTIME_BIN,
    content: () => ({ kind: 'archive', strip: '', only: only('crictl') }),
  },
  {
    name: 'nerdctl',
    uri: `${GITHUB}/containerd/nerdctl/releases/download/v{{.Tag}}/nerdctl-{{.Tag}}-linux-{{.Arch}}.tar.gz`,
    checksum: { list: 'SHA256SUMS' },
    folder: RUNTIME_BIN,
    content: () => ({ kind: 'archive', strip: '', only: only('nerdctl') }),
  },
  {
    name: 'cni-plugins',
    uri: `${GITHUB}/containernetworking/plugins/releases/download/v{{.Tag}}/cni-plugins-linux-{{.Arch}}-v{{.Tag}}.tgz`,
    checksum: { suffix: '.sha256' },
    folder: 'kubernetes/cni',
    content: () => ({ kind: 'archive', strip: '' }),
  },
  {
    name: 'flannel-cni',
    uri: `${GITHUB}/flannel-io/cni-plugin/releases/download/v{{.Tag}}/cni-plugin-flannel-linux-{{.Arch}}-v{{.Tag}}.tgz`,
    checksum: { suffix: '.sha256' },
    folder: 'kubernetes/cni',
    content: (_, arch) => ({ kind: 'archive', strip: '', only: only([`flannel-${arch}`, 'flannel']) }),
  },
  {
    name: 'helm',
    uri: 'https://get.helm.sh/helm-v{{.Tag}}-linux-{{.Arch}}.tar.gz',
    checksum: { suffix: '.sha256sum' },
    folder: KUBERNETES_BIN,
    content: (_, arch) => ({ kind: 'archive', strip: `linux-${arch}/`, only: only('helm') }),
  },
  {
    name: 'etcd',
    uri: `${GITHUB}/etcd-io/etcd/releases/download/v{{.Tag}}/etcd-v{{.Tag}}-linux-{{.Arch}}.tar.gz`,
    checksum: { list: 'SHA256SUMS' },
    folder: KUBERNETES_BIN,
    content: (version, arch) => ({
      kind: 'archive',
      strip: `etcd-v${version}-linux-${arch}/`,
      only: only('etcdctl', 'etcdutl'),
    }),
  },
  {
    name: 'calicoctl',
    uri: `${GITHUB}/projectcalico/calico/releases/download/v{{.Tag}}/calicoctl-linux-{{.Arch}}`,
    checksum: { list: 'SHA256SUMS' },
    folder: KUBERNETES_BIN,
    content: () => ({ kind: 'file', name: 'calicoctl' }),
  },
  {
    name: 'cilium-cli',
    uri: `${GITHUB}/cilium/cilium-cli/releases/download/v{{.Tag}}/cilium-linux-{{.Arch}}.tar.gz`,
    checksum: { suffix: '.sha256sum' },
    folder: KUBERNETES_BIN,
    content: () => ({ kind: 'archive', strip: '', only: only('cilium') }),
  },
];

const TOLD_BY_MAKERS: ReadonlySet<string> = new Set(['containerd', 'runc', 'crictl', 'cni-plugins']);

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['cni', 'cni-plugins'],
  ['cni_plugins', 'cni-plugins'],
  ['flannel', 'flannel-cni'],
  ['flannel-cni-plugin', 'flannel-cni'],
  ['cni-plugin-flannel', 'flannel-cni'],
  ['cri-tools', 'crictl'],
  ['etcdctl', 'etcd'],
  ['cilium', 'cilium-cli'],
]);

/** Returns what is known about a component, by its name or another name that people use for it. */
export function knownComponent(name: string): KnownComponent | undefined {
  const proper = ALIASES.get(name) ?? name;
  return COMPONENTS.find((component) => component.name === proper);
}

/** Returns the names of all known components. */
export function knownComponentNames(): string[] {
  return COMPONENTS.map((component) => component.name);
}

/**
 * Returns whether upstream publishes which version of a component goes with a Kubernetes. `name` is its proper name.
 */
export function isToldByMakers(name: string): boolean {
  return TOLD_BY_MAKERS.has(name);
}

/** Returns whether a component's version is that of Kubernetes. */
export function isKubernetesComponent(name: string): boolean {
  return name === 'kubeadm' || name === 'kubelet' || name === 'kubectl';
}
