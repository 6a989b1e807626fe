import semver from 'semver';
import { KUBEADM_TABLE, type KubeadmRow } from '../../src/config/kubernetes/kubeadm-tag-table.ts';
import { RUNTIME_TABLE, type RuntimeRow } from '../../src/config/kubernetes/runtime-table.ts';

/** Returns the row of the newest release that the table of kubeadm has, of all or of a minor: it gets newer each week. */
export function lastKnown(minor?: number): KubeadmRow {
  const found = KUBEADM_TABLE.findLast((row) => minor === undefined || semver.minor(row.last) === minor);
  if (found === undefined) throw new Error(`the table has no 1.${minor}`);
  return found;
}

/** Returns the container runtime that the table has for a minor; so do its patches. */
export function knownRuntime(minor: number): RuntimeRow {
  const found = RUNTIME_TABLE.find((row) => row.minor === minor);
  if (found === undefined) throw new Error(`the table has no 1.${minor}`);
  return found;
}
