import semver from 'semver';
import type { Place } from '../lib/reporter.ts';
import { parseTag, type Tag } from '../registry/oci/reference.ts';
import type { Entry } from './document.ts';
import type { ImageName } from './image-set-name.ts';
import type { KubeadmImage, KubeadmKnowledge } from './kubernetes/kubeadm-tags.ts';
import {
  type KubernetesVersion,
  kubernetesMinor,
  toKubernetesVersion,
} from './kubernetes/kubernetes-version.ts';
import type { KubernetesRelease, KubernetesWord } from './kubernetes/kubernetes-word.ts';

/** The image whose tags show which releases of Kubernetes exist. */
export const APISERVER: ImageName = 'kube-apiserver';

/** The images whose tag is the version of Kubernetes. */
export const KUBERNETES_PROGRAMS: readonly ImageName[] = [
  APISERVER,
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
];

/** The names at registry.k8s.io of the images whose tags kubeadm takes from a table of its own. */
export const KUBEADM_IMAGE_NAMES: Readonly<Record<KubeadmImage, ImageName>> = {
  etcd: 'etcd',
  coredns: 'coredns/coredns',
  pause: 'pause',
};

/** The tags of one image that a release of Kubernetes needs. */
interface ClusterNeed {
  readonly name: ImageName;
  /** The tag, or a pattern such as `v1.37.*` for all releases of a minor. */
  readonly text: string;
  readonly wants: (tag: Tag) => boolean;
}

function ofMinor(tag: Tag, minor: number): boolean {
  const version = tag.startsWith('v') ? toKubernetesVersion(tag) : undefined;
  return version !== undefined && kubernetesMinor(version) === minor && semver.prerelease(version) === null;
}

function exactly(name: ImageName, tag: Tag): ClusterNeed {
  return { name, text: tag, wants: (offered) => offered === tag };
}

/** A need of an image whose tag is not known. */
function unknown(name: ImageName, text: string): ClusterNeed {
  return { name, text, wants: () => false };
}

function programsOf(release: KubernetesRelease): ClusterNeed[] {
  return KUBERNETES_PROGRAMS.map((name) => {
    if (release.kind === 'version') return exactly(name, parseTag(`v${release.version}`));
    const { minor } = release;
    return { name, text: `v1.${minor}.*`, wants: (offered) => ofMinor(offered, minor) };
  });
}

function chosenTags(
  release: KubernetesRelease,
  image: KubeadmImage,
  kubeadm: KubeadmKnowledge,
  listed: readonly KubernetesVersion[],
): ReadonlySet<Tag> {
  const versions =
    release.kind === 'version'
      ? [release.version].filter((version) => listed.includes(version) || kubeadm.knows(version))
      : listed.filter((version) => kubernetesMinor(version) === release.minor);
  return new Set([
    ...(release.kind === 'minor' ? kubeadm.tagsOfMinor(release.minor, image) : []),
    ...versions.flatMap((version) => kubeadm.answer(version)?.tags[image] ?? []),
  ]);
}

/** The releases of a source that was not asked yet. */
const NOTHING_LISTED: readonly KubernetesVersion[] = [];

/**
 * Returns the images and tags that kubeadm of a release needs, or of all releases of a minor. The programs come first. If
 * the tag of an image is not known, or the word was not resolved, no tag meets the need. `listed` are the releases that the
 * source has. An unknown release among them gets the last known tags. An unknown release that the source does not have gets
 * none, because upstream was not asked about it.
 */
export function clusterNeeds(
  word: KubernetesWord,
  kubeadm: KubeadmKnowledge,
  listed: readonly KubernetesVersion[] = NOTHING_LISTED,
): ClusterNeed[] {
  if (word.kind === 'latest' || word.kind === 'supported') {
    const names = [...KUBERNETES_PROGRAMS, ...Object.values(KUBEADM_IMAGE_NAMES)];
    return names.map((name) => unknown(name, word.text));
  }
  const chosen = (image: KubeadmImage): ClusterNeed[] => {
    const tags = chosenTags(word, image, kubeadm, listed);
    const name = KUBEADM_IMAGE_NAMES[image];
    if (tags.size === 0) return [unknown(name, `(of kubeadm ${word.text})`)];
    return [...tags].map((tag) => exactly(name, tag));
  };
  return [...programsOf(word), ...chosen('etcd'), ...chosen('coredns'), ...chosen('pause')];
}

/** A release that a set wants, and what it needs. */
export interface ClusterRelease {
  /** A minor, a version, or a word for which nothing was found. */
  readonly text: string;
  /** The word of the set, such as `latest`. */
  readonly word: string;
  readonly place: Place;
  readonly needs: readonly ClusterNeed[];
}

/** Returns what the words of a set need, as known before the source is asked. */
export function openReleases(
  words: readonly Entry<KubernetesWord>[],
  kubeadm: KubeadmKnowledge,
): ClusterRelease[] {
  return words.map(({ value: { text }, value, place }) => ({
    text,
    word: text,
    place,
    needs: clusterNeeds(value, kubeadm),
  }));
}

/** An image that the releases under `kubernetes` of a set need, and the tags that they need of it. */
export interface ClusterImage {
  readonly name: ImageName;
  readonly needs: readonly ClusterNeed[];
  /** The places of the releases that need it. */
  readonly places: readonly Place[];
}

/** Returns the images that releases need, by name. */
export function clusterImages(releases: readonly ClusterRelease[]): ReadonlyMap<ImageName, ClusterImage> {
  const images = new Map<ImageName, ClusterImage>();
  for (const { needs: all, place } of releases) {
    for (const [name, needs] of Map.groupBy(all, (need) => need.name)) {
      const earlier = images.get(name);
      images.set(name, {
        name,
        needs: [...(earlier?.needs ?? []), ...needs],
        places: [...(earlier?.places ?? []), place],
      });
    }
  }
  return images;
}
