import semver from 'semver';
import { parseTag, type Tag } from '../../registry/oci/reference.ts';
import { KUBEADM_TABLE, type KubeadmRow } from './kubeadm-table.ts';
import { type KubernetesVersion, kubernetesMinor } from './kubernetes-version.ts';

/** The images that kubeadm chooses with, but not after, the version of Kubernetes. */
export type KubeadmImage = 'etcd' | 'coredns' | 'pause';

/** What kubeadm of one version wants. */
interface KubeadmAnswer {
  readonly tags: Readonly<Record<KubeadmImage, Tag>>;
  /** Set where the version itself is not in the table: which one answers in its place. */
  readonly warning?: string | undefined;
}

/** Returns whether an image is one that kubeadm chooses. */
export function isKubeadmImage(name: string): name is KubeadmImage {
  return name === 'etcd' || name === 'coredns' || name === 'pause';
}

function toAnswer(row: KubeadmRow): KubeadmAnswer {
  const about = `the kubeadm table at ${row.first}`;
  return {
    tags: {
      etcd: parseTag(row.etcd, about),
      coredns: parseTag(row.coredns, about),
      pause: parseTag(row.pause, about),
    },
  };
}

/**
 * Returns the tags of etcd, coredns and pause that kubeadm of this version wants. They change within a minor, so a
 * version that the table lacks gets those of the nearest lower one of its minor (a pre-release below the first:
 * those of the first), with a warning; a minor that it lacks gives `undefined`.
 */
export function kubeadmImages(version: KubernetesVersion): KubeadmAnswer | undefined {
  const minor = kubernetesMinor(version);
  const rows = KUBEADM_TABLE.filter((row) => semver.minor(row.first) === minor);
  const row = rows.findLast((candidate) => semver.lte(candidate.first, version)) ?? rows[0];
  if (row === undefined) return undefined;
  if (semver.gte(version, row.first) && semver.lte(version, row.last)) return toAnswer(row);
  const nearest = semver.lt(version, row.first) ? row.first : row.last;
  return {
    ...toAnswer(row),
    warning:
      `the images of kubeadm ${version} are not known here yet, so those of ${nearest} are taken ` +
      `(etcd ${row.etcd}, coredns ${row.coredns}, pause ${row.pause}); ` +
      `compare with: kubeadm config images list --kubernetes-version v${version}`,
  };
}

/** Returns every tag of one image that kubeadm wants in any version of a minor, the oldest version's first. */
export function kubeadmTagsOfMinor(minor: number, image: KubeadmImage): Tag[] {
  const rows = KUBEADM_TABLE.filter((row) => semver.minor(row.first) === minor);
  return [...new Set(rows.map((row) => toAnswer(row).tags[image]))];
}

/** Returns the Kubernetes versions whose kubeadm wants this tag, as `1.22.0 to 1.22.16`; empty when none does. */
export function kubeadmVersionsOf(image: KubeadmImage, tag: string): string[] {
  const spans: { first: string; last: string }[] = [];
  let open: { first: string; last: string } | undefined;
  for (const row of KUBEADM_TABLE) {
    if (row[image] !== tag) open = undefined;
    else if (open !== undefined) open.last = row.last;
    else {
      open = { first: row.first, last: row.last };
      spans.push(open);
    }
  }
  return spans.map(({ first, last }) => (first === last ? first : `${first} to ${last}`));
}

/** Returns the oldest and newest minor that the table knows. */
export function kubeadmMinors(): { readonly oldest: number; readonly newest: number } {
  const minors = KUBEADM_TABLE.map((row) => semver.minor(row.first));
  return { oldest: Math.min(...minors), newest: Math.max(...minors) };
}
