import { containerdRange } from '../../config/kubernetes/containerd-support.ts';
import { type KubernetesVersion, kubernetesMinor } from '../../config/kubernetes/kubernetes-version.ts';
import { NEWEST_CNI_PLUGINS, RUNTIME_TABLE } from '../../config/kubernetes/runtime-table.ts';
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

/** The newest metrics-server according to its README, for each minor from `minor` on. */
const METRICS_SERVERS = [
  { minor: 22, tag: 'v0.5.2' },
  { minor: 25, tag: 'v0.6.4' },
  { minor: 27, tag: 'v0.7.2' },
  { minor: 31, tag: 'v0.8.1' },
  { minor: 34, tag: 'v0.9.0' },
];

/** Components, images and add-ons that do not depend on the version of Kubernetes: the newest versions known to work. */
const INDEPENDENT: ReadonlyMap<string, string> = new Map([
  ['cni-plugins', NEWEST_CNI_PLUGINS],
  ['flannel-cni', '1.9.1-flannel3'],
  ['flannel-cni-plugin', 'v1.9.1-flannel3'],
  ['flannel', 'v0.28.9'],
  ['local-path', 'v0.0.37'],
  ['helm', '4.3.0'],
]);

/** The newest Calico, and the oldest minor version of Kubernetes that it is tested with. */
const CALICO = { tag: 'v3.32.1', oldestMinor: 33 };

/** Returns the row of the matrix for a version of Kubernetes; undefined for an unknown minor version. */
export function matrixRow(version: KubernetesVersion): MatrixRow | undefined {
  const minor = kubernetesMinor(version);
  const row = RUNTIME_TABLE.find((candidate) => candidate.minor === minor);
  // packer assumes that a minor that upstream does not list yet works with the same versions as the one before it.
  const listed = RUNTIME_TABLE.findLast((each) => each.minor <= minor && each.support !== undefined);
  const supportedContainerd = listed?.support && containerdRange(listed.support);
  const metrics = METRICS_SERVERS.findLast((each) => each.minor <= minor);
  if (row === undefined || supportedContainerd === undefined || metrics === undefined) return undefined;
  return {
    minor,
    supportedContainerd,
    containerd: row.containerd,
    runc: row.runc,
    metricsServer: metrics.tag,
  };
}

/**
 * Returns the tag that `auto` means for a component, image or add-on with a version of its own (not kube-*, kubelet and
 * similar, nor kubeadm's images); undefined if none is known to go with this Kubernetes.
 */
export function matchingTag(name: string, version: KubernetesVersion): Tag | undefined {
  const found = matrixRow(version);
  if (found === undefined) return undefined;
  const ownRow = new Map([
    ['containerd', found.containerd],
    ['runc', found.runc],
    ['crictl', `1.${found.minor}.0`],
    ['metrics-server', found.metricsServer],
    ...(found.minor < CALICO.oldestMinor ? [] : [['calico', CALICO.tag] as const]),
  ]);
  const tag = ownRow.get(name) ?? INDEPENDENT.get(name);
  return tag === undefined ? undefined : parseTag(tag, `the component matrix at ${name}`);
}
