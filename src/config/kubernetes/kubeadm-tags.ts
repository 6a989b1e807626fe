import semver from 'semver';
import { parseTag, type Tag } from '../../registry/oci/reference.ts';
import { KUBEADM_TABLE, type KubeadmRow } from './kubeadm-tag-table.ts';
import { type KubernetesVersion, kubernetesMinor } from './kubernetes-version.ts';

/** The images for which kubeadm has a tag per version of Kubernetes, which is not that version. */
export type KubeadmImage = 'etcd' | 'coredns' | 'pause';

/** The tags that kubeadm of one version uses. */
interface KubeadmAnswer {
  readonly tags: Readonly<Record<KubeadmImage, Tag>>;
  /** Set if the version is not in the table: which version's tags are used instead. */
  readonly warning?: string | undefined;
}

/** Returns whether kubeadm has a tag of its own for an image. */
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
 * Returns the tags of etcd, coredns and pause that kubeadm of a version uses. They change within a minor. A version
 * that is not in the table gets the tags of the next lower one of its minor, with a warning; a pre-release below the
 * first gets those of the first. Undefined if the minor is not in the table.
 */
export function kubeadmTags(version: KubernetesVersion): KubeadmAnswer | undefined {
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

/** Returns all tags of an image that kubeadm uses in versions of a minor, the oldest version's first. */
export function kubeadmTagsOfMinor(minor: number, image: KubeadmImage): Tag[] {
  const rows = KUBEADM_TABLE.filter((row) => semver.minor(row.first) === minor);
  return [...new Set(rows.map((row) => toAnswer(row).tags[image]))];
}

/** Returns the Kubernetes versions whose kubeadm uses a tag, as `1.22.0 to 1.22.16`. Empty if there are none. */
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

/** Returns the oldest and the newest minor in the table. */
export function kubeadmMinors(): { readonly oldest: number; readonly newest: number } {
  const minors = KUBEADM_TABLE.map((row) => semver.minor(row.first));
  return { oldest: Math.min(...minors), newest: Math.max(...minors) };
}
