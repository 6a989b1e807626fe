import semver from 'semver';
import type { KubeadmRow } from '../../src/config/kubernetes/kubeadm-tag-table.ts';
import type { KubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { refusal } from './refusal.ts';

const IMAGES = ['etcd', 'coredns', 'pause'] as const;

/** The tags that kubeadm of one version uses. */
export interface VersionTags {
  readonly version: KubernetesVersion;
  readonly tags: Pick<KubeadmRow, (typeof IMAGES)[number]>;
}

/**
 * Returns the rows with further versions, in order. A version with the same tags as the one before it joins its row.
 * Throws `TABLES_REFUSED` for versions that leave a gap, and for tags that are older than those of the version before.
 */
export function withVersions(rows: readonly KubeadmRow[], learnt: readonly VersionTags[]): KubeadmRow[] {
  const added = learnt.toSorted((one, other) => semver.compare(one.version, other.version));
  return added.reduce<KubeadmRow[]>(withVersion, [...rows]);
}

function withVersion(rows: KubeadmRow[], { version, tags }: VersionTags): KubeadmRow[] {
  const at = rows.findLastIndex((row) => semver.lt(row.last, version));
  const before = rows[at];
  const next = { first: version, last: version, etcd: tags.etcd, coredns: tags.coredns, pause: tags.pause };
  if (before === undefined) {
    if (rows.length === 0) return [next];
    throw refusal(`kubeadm ${version}`, 'it is older than all in the table');
  }
  if (!follows(version, before.last)) {
    throw refusal(
      `kubeadm ${version}`,
      `it does not follow ${before.last}, the last version in the table before it`,
    );
  }
  const isSame = IMAGES.every((image) => before[image] === next[image]);
  // A minor begins with a row of its own.
  if (isSame && semver.minor(before.last) === semver.minor(version)) {
    return rows.with(at, { ...before, last: version });
  }
  const reference = semver.patch(version) === 0 ? firstOfMinor(rows, before) : before;
  for (const image of IMAGES) {
    if (isOlder(next[image], reference[image])) {
      const message = `its ${image} ${next[image]} is older than ${reference[image]} of ${reference.first}`;
      throw refusal(`kubeadm ${version}`, message);
    }
  }
  return rows.toSpliced(at + 1, 0, next);
}

/**
 * Returns whether a release follows another: the patch before it, or for the first of a minor, any of the minor before.
 */
function follows(version: string, before: string): boolean {
  if (semver.minor(version) === semver.minor(before)) return semver.inc(before, 'patch') === version;
  return semver.minor(version) === semver.minor(before) + 1 && semver.patch(version) === 0;
}

/**
 * Old minors get newer tags in patches that come after a newer minor, so a minor is compared with the first row of the
 * minor before it.
 */
function firstOfMinor(rows: readonly KubeadmRow[], row: KubeadmRow): KubeadmRow {
  return rows.find((each) => semver.minor(each.first) === semver.minor(row.first)) ?? row;
}

function isOlder(tag: string, other: string): boolean {
  const [one, two] = [numbersOf(tag), numbersOf(other)];
  const index = one.findIndex((number, place) => number !== (two[place] ?? 0));
  return index === -1 ? one.length < two.length : (one[index] ?? 0) < (two[index] ?? 0);
}

function numbersOf(tag: string): number[] {
  return (tag.match(/\d+/g) ?? []).map(Number);
}
