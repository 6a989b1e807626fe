import { type KubernetesVersion, kubernetesMinor } from '../../config/kubernetes/kubernetes-version.ts';
import { parseTag, type Tag } from '../../registry/oci/reference.ts';

/** The versions that go with a minor version of Kubernetes. */
interface MatrixRow {
  readonly minor: number;
  /** The containerd versions that this minor works with, as a semver range. */
  readonly supportedContainerd: string;
  readonly containerd: string;
  readonly runc: string;
  readonly metricsServer: string;
}

function row(
  minor: number,
  supportedContainerd: string,
  containerd: string,
  runc: string,
  metricsServer: string,
): MatrixRow {
  return { minor, supportedContainerd, containerd, runc, metricsServer };
}

/**
 * The kubelet up to 1.22 speaks only CRI v1alpha2, which containerd 2 no longer does; from 1.26 on only CRI v1. The
 * rows come from RELEASES.md of containerd at 301026e (supported ranges, from 1.32 on) and script/setup/runc-version of
 * each containerd tag, the CRI of the kubelet before that, the README of metrics-server, and the releases of cri-tools,
 * containernetworking/plugins and flannel.
 */
const COMPONENT_MATRIX: readonly MatrixRow[] = [
  row(22, '<2.0.0', '1.7.34', '1.3.6', 'v0.5.2'),
  row(23, '*', '1.7.34', '1.3.6', 'v0.5.2'),
  row(24, '*', '1.7.34', '1.3.6', 'v0.5.2'),
  row(25, '*', '1.7.34', '1.3.6', 'v0.6.4'),
  row(26, '>=1.6.0', '1.7.34', '1.3.6', 'v0.6.4'),
  row(27, '>=1.6.0', '1.7.34', '1.3.6', 'v0.7.2'),
  row(28, '>=1.6.0', '1.7.34', '1.3.6', 'v0.7.2'),
  row(29, '>=1.6.0', '1.7.34', '1.3.6', 'v0.7.2'),
  row(30, '>=1.6.0', '1.7.34', '1.3.6', 'v0.7.2'),
  row(31, '>=1.6.0', '1.7.34', '1.3.6', 'v0.8.1'),
  row(32, '~1.7.24 || ~2.0.1 || >=2.1.0', '2.0.11', '1.3.6', 'v0.8.1'),
  row(33, '~1.7.24 || ~2.0.4 || >=2.1.0', '2.0.11', '1.3.6', 'v0.8.1'),
  row(34, '~1.7.28 || ~2.0.6 || >=2.1.3', '2.2.7', '1.3.6', 'v0.9.0'),
  row(35, '~1.7.28 || ~2.1.5 || >=2.2.0', '2.2.7', '1.3.6', 'v0.9.0'),
  row(36, '>=2.2.0', '2.3.4', '1.4.3', 'v0.9.0'),
  // containerd's table does not list 1.37 yet: its long-term branch and that branch's runc, as for 1.36.
  row(37, '>=2.2.0', '2.3.4', '1.4.3', 'v0.9.0'),
];

/** Components and images that do not depend on the version of Kubernetes: the newest versions known to work. */
const INDEPENDENT: ReadonlyMap<string, string> = new Map([
  ['cni-plugins', '1.9.1'],
  ['flannel-cni', '1.9.1-flannel3'],
  ['flannel-cni-plugin', 'v1.9.1-flannel3'],
  ['flannel', 'v0.28.9'],
  ['helm', '4.3.0'],
]);

/** Returns the row of the matrix for a version of Kubernetes; undefined for an unknown minor version. */
export function matrixRow(version: KubernetesVersion): MatrixRow | undefined {
  const minor = kubernetesMinor(version);
  return COMPONENT_MATRIX.find((candidate) => candidate.minor === minor);
}

/**
 * Returns the tag that `auto` means for a component or image with a version of its own (not kube-*, kubelet and the
 * like, nor kubeadm's images); undefined if none is known to go with this Kubernetes.
 */
export function matchingTag(name: string, version: KubernetesVersion): Tag | undefined {
  const found = matrixRow(version);
  if (found === undefined) return undefined;
  const ownRow = new Map([
    ['containerd', found.containerd],
    ['runc', found.runc],
    ['crictl', `1.${found.minor}.0`],
    ['metrics-server', found.metricsServer],
  ]);
  const tag = ownRow.get(name) ?? INDEPENDENT.get(name);
  return tag === undefined ? undefined : parseTag(tag, `the component matrix at ${name}`);
}
