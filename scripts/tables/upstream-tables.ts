import type { CniRow } from '../../src/config/kubernetes/cni-image-table.ts';
import type { KubeadmRow } from '../../src/config/kubernetes/kubeadm-tag-table.ts';
import type { RuntimeRow } from '../../src/config/kubernetes/runtime-table.ts';
import { describeImages } from './cni-rows.ts';

/** Everything that "make tables" writes. */
export interface UpstreamTables {
  readonly kubeadm: readonly KubeadmRow[];
  readonly runtimes: readonly RuntimeRow[];
  readonly cniPlugins: string;
  readonly cniImages: readonly CniRow[];
}

/** Returns how two tables differ, in words for people, a line each; empty if they do not. */
export function describeDifference(before: UpstreamTables, after: UpstreamTables): string[] {
  return [
    ...after.kubeadm.flatMap((row) => kubeadmLines(row, before.kubeadm)),
    ...after.runtimes.flatMap((row) => runtimeLines(row, before.runtimes)),
    ...replaced('CNI plugins', before.cniPlugins, after.cniPlugins),
    ...describeImages(before.cniImages, after.cniImages),
  ];
}

function kubeadmLines(row: KubeadmRow, before: readonly KubeadmRow[]): string[] {
  const known = before.find(({ first }) => first === row.first);
  const tags = `etcd ${row.etcd}, coredns ${row.coredns}, pause ${row.pause}`;
  if (known === undefined) return [`kubeadm ${span(row.first, row.last)}: ${tags}`];
  if (known.last === row.last) return [];
  return [`kubeadm ${row.last}: ${tags}, as ${known.last}`];
}

function span(first: string, last: string): string {
  return first === last ? first : `${first} to ${last}`;
}

function runtimeLines(row: RuntimeRow, before: readonly RuntimeRow[]): string[] {
  const about = `Kubernetes 1.${row.minor}`;
  const known = before.find(({ minor }) => minor === row.minor);
  if (known === undefined) {
    const words = row.support?.containerd ?? 'not listed yet';
    return [`${about}: containerd ${row.containerd}, runc ${row.runc}; supported by upstream: ${words}`];
  }
  return [
    ...replaced(`${about}: containerd`, known.containerd, row.containerd),
    ...replaced(`${about}: runc`, known.runc, row.runc),
    ...replaced(`${about}: supported containerd`, known.support?.containerd, row.support?.containerd),
    ...replaced(`${about}: CRI`, known.support?.cri, row.support?.cri),
  ];
}

function replaced(about: string, before: string | undefined, after: string | undefined): string[] {
  if (before === after) return [];
  return [`${about} ${after}${before === undefined ? '' : ` in place of ${before}`}`];
}
