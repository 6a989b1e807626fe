import semver, { SemVer } from 'semver';
import { parseTag, type Tag } from '../../registry/oci/reference.ts';
import { KUBEADM_TABLE, type KubeadmRow } from './kubeadm-tag-table.ts';
import { type KubernetesVersion, kubernetesMinor, toKubernetesVersion } from './kubernetes-version.ts';

/** The images for which kubeadm has a tag per version of Kubernetes, which is not that version. */
export type KubeadmImage = 'etcd' | 'coredns' | 'pause';

/** The tags of the images for which kubeadm has one of its own. */
export type KubeadmTags = Readonly<Record<KubeadmImage, Tag>>;

/** The tags of kubeadm of one version from another origin than the built-in table. */
export interface LearntTags {
  readonly version: KubernetesVersion;
  readonly tags: KubeadmTags;
  /** Where the tags come from, for people: such as `kubernetes v1.38.0` or `kubeadm 1.38.0`. */
  readonly origin: string;
}

/** The tags that kubeadm of one version uses. */
export interface KubeadmAnswer {
  readonly tags: KubeadmTags;
  /** Where the tags come from, for people: `table`, the origin of `LearntTags`, or `last known, 1.37.1`. */
  readonly origin: string;
  /** Set if the version is unknown: which version's tags are used instead. */
  readonly warning?: string | undefined;
}

/** Returns whether kubeadm has a tag of its own for an image. */
export function isKubeadmImage(name: string): name is KubeadmImage {
  return name === 'etcd' || name === 'coredns' || name === 'pause';
}

function tagsOf(row: KubeadmRow): KubeadmTags {
  const about = `the kubeadm table at ${row.first}`;
  return {
    etcd: parseTag(row.etcd, about),
    coredns: parseTag(row.coredns, about),
    pause: parseTag(row.pause, about),
  };
}

/** The tags of a known version. */
interface KnownTags {
  readonly version: string;
  readonly tags: KubeadmTags;
}

/**
 * The known images of kubeadm: the built-in table, and what was learnt in addition. If both contain a version, the table
 * takes precedence.
 */
export class KubeadmKnowledge {
  readonly #learnt: readonly LearntTags[];
  /** The ends of rows and what was learnt, the oldest first. Made at the first request for an unknown version. */
  #known: readonly { readonly parsed: SemVer; readonly known: KnownTags }[] | undefined;

  constructor(learnt: readonly LearntTags[] = []) {
    this.#learnt = learnt
      .filter(({ version }) => rowOf(version) === undefined)
      .toSorted((one, other) => semver.compare(one.version, other.version));
  }

  /** Returns whether a version is in the table or was learnt. */
  knows(version: KubernetesVersion): boolean {
    return rowOf(version) !== undefined || this.#learnt.some((each) => each.version === version);
  }

  /**
   * Returns the tags that kubeadm of a version uses. An unknown version gets those of the next lower known one, with a
   * warning; a pre-release below the first of its minor gets those of the first. Undefined if the minor is older than all
   * known ones.
   */
  answer(version: KubernetesVersion): KubeadmAnswer | undefined {
    const row = rowOf(version);
    if (row !== undefined) return { tags: tagsOf(row), origin: 'table' };
    const learnt = this.#learnt.find((each) => each.version === version);
    if (learnt !== undefined) return { tags: learnt.tags, origin: learnt.origin };
    const nearest = this.#nearest(version);
    if (nearest === undefined) return undefined;
    const { etcd, coredns, pause } = nearest.tags;
    return {
      tags: nearest.tags,
      origin: `last known, ${nearest.version}`,
      warning:
        `the images of kubeadm ${version} are not known yet, so those of ${nearest.version} are used ` +
        `(etcd ${etcd}, coredns ${coredns}, pause ${pause}); ` +
        `compare with: kubeadm config images list --kubernetes-version v${version}`,
    };
  }

  #nearest(version: KubernetesVersion): KnownTags | undefined {
    this.#known ??= [...KUBEADM_TABLE.flatMap(endsOf), ...this.#learnt]
      .map((known) => ({ parsed: new SemVer(known.version), known }))
      .toSorted((one, other) => one.parsed.compare(other.parsed));
    const asked = new SemVer(version);
    const lower = this.#known.findLast(({ parsed }) => parsed.compare(asked) < 0);
    if (lower?.parsed.minor === asked.minor) return lower.known;
    return (this.#known.find(({ parsed }) => parsed.minor === asked.minor) ?? lower)?.known;
  }

  /** Returns all tags of an image that kubeadm uses in known versions of a minor, the oldest version's first. */
  tagsOfMinor(minor: number, image: KubeadmImage): Tag[] {
    const rows = KUBEADM_TABLE.filter((row) => semver.minor(row.first) === minor);
    const learnt = this.#learnt.filter((each) => kubernetesMinor(each.version) === minor);
    return [...new Set([...rows.map(tagsOf), ...learnt.map(({ tags }) => tags)].map((tags) => tags[image]))];
  }

  /** Returns the Kubernetes versions whose kubeadm uses a tag, as `1.22.0 to 1.22.16`. Empty if there are none. */
  versionsOf(image: KubeadmImage, tag: string): string[] {
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
    for (const { version, tags } of this.#learnt) {
      if (tags[image] === tag) spans.push({ first: version, last: version });
    }
    return spans.map(({ first, last }) => (first === last ? first : `${first} to ${last}`));
  }
}

/** The built-in table alone. */
export const BUILT_IN_KUBEADM = new KubeadmKnowledge();

function endsOf(row: KubeadmRow): KnownTags[] {
  const tags = tagsOf(row);
  return [row.first, row.last].map((version) => ({ version, tags }));
}

function rowOf(version: KubernetesVersion): KubeadmRow | undefined {
  return KUBEADM_TABLE.find((row) => semver.gte(version, row.first) && semver.lte(version, row.last));
}

/** Returns the newest stable version in the table, of all or of a minor; undefined if there is none. */
export function newestKnownVersion(minor?: number): KubernetesVersion | undefined {
  const stable = KUBEADM_TABLE.map(({ last }) => last)
    .filter((last) => semver.prerelease(last) === null)
    .filter((last) => minor === undefined || semver.minor(last) === minor)
    .toSorted(semver.compare);
  return toKubernetesVersion(stable.at(-1) ?? '');
}

/** Returns the oldest and the newest minor in the table. */
export function kubeadmMinors(): { readonly oldest: number; readonly newest: number } {
  const minors = KUBEADM_TABLE.map((row) => semver.minor(row.first));
  return { oldest: Math.min(...minors), newest: Math.max(...minors) };
}
