import { z } from 'zod';
import { type KubernetesVersion, toKubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { listOf } from '../../lib/zero-value.ts';
import { isTag, type Tag } from '../../registry/oci/reference.ts';
import type { PackagePlan } from '../plan/plan.ts';
import type { ToldFacts } from '../plan/release-knowledge.ts';

/**
 * What a lock records about its Kubernetes: everything that the versions.json does not pin, so that packer need not ask
 * upstream again.
 */
export interface LockedKubernetes extends Omit<ToldFacts, 'troubles'> {
  /** The value of `--kube-version`, such as `latest`; undefined if it was a version, or not given. */
  readonly wanted?: string | undefined;
}

const version = z.custom<KubernetesVersion>(
  (value) => typeof value === 'string' && toKubernetesVersion(value) === value,
  'not a version of Kubernetes',
);
const tag = z.custom<Tag>((value) => typeof value === 'string' && isTag(value), 'not a tag');
const writtenShape = z.object({
  version,
  wanted: z.string().optional(),
  kubeadm: z
    .object({ etcd: tag, coredns: tag, pause: tag, origin: z.string(), warning: z.string().optional() })
    .optional(),
  matching: listOf(z.object({ name: z.string(), tag, origin: z.string(), lastOf: z.string().optional() })),
});

function toMatching(rows: z.output<typeof writtenShape>['matching']): LockedKubernetes['matching'] {
  return new Map(rows.map(({ name, ...found }) => [name, found]));
}

function toLockedKubernetes({
  version,
  wanted,
  kubeadm,
  matching,
}: z.output<typeof writtenShape>): LockedKubernetes {
  if (kubeadm === undefined) return { version, wanted, matching: toMatching(matching) };
  const { origin, warning, ...tags } = kubeadm;
  return { version, wanted, kubeadm: { tags, origin, warning }, matching: toMatching(matching) };
}

/** Returns what a lock records about the Kubernetes of a plan. */
export function plainKubernetes({ kubernetes, kubeadm, matching }: PackagePlan, wanted: string | undefined) {
  return {
    version: kubernetes,
    wanted,
    kubeadm: kubeadm && { ...kubeadm.tags, origin: kubeadm.origin, warning: kubeadm.warning },
    matching: [...matching].map(([name, found]) => ({ name, ...found })),
  };
}

/** The shape of what a lock records about its Kubernetes. */
export const lockedKubernetes = writtenShape.transform(toLockedKubernetes);
