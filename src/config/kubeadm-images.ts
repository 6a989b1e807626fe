import semver from 'semver';
import type { Place } from '../lib/reporter.ts';
import { parseTag, type Tag } from '../registry/oci/reference.ts';
import type { Entry } from './document.ts';
import type { ImageName } from './image-set-name.ts';
import { type KubeadmImage, kubeadmTags, kubeadmTagsOfMinor } from './kubernetes/kubeadm-tags.ts';
import type { KubernetesRelease } from './kubernetes/kubernetes-release.ts';
import { kubernetesMinor, toKubernetesVersion } from './kubernetes/kubernetes-version.ts';

/** The images whose tag is the version of Kubernetes. */
export const KUBERNETES_PROGRAMS: readonly ImageName[] = [
  'kube-apiserver',
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

function programsOf(release: KubernetesRelease): ClusterNeed[] {
  return KUBERNETES_PROGRAMS.map((name) => {
    if (release.kind === 'version') return exactly(name, parseTag(`v${release.version}`));
    const { minor } = release;
    return { name, text: `v1.${minor}.*`, wants: (offered) => ofMinor(offered, minor) };
  });
}

function chosenTags(release: KubernetesRelease, image: KubeadmImage): readonly Tag[] {
  if (release.kind === 'minor') return kubeadmTagsOfMinor(release.minor, image);
  const answer = kubeadmTags(release.version);
  return answer === undefined ? [] : [answer.tags[image]];
}

/**
 * Returns the images and tags that kubeadm of a release needs, or of all releases of a minor. The programs come first.
 */
export function clusterNeeds(release: KubernetesRelease): ClusterNeed[] {
  const chosen = (image: KubeadmImage) =>
    chosenTags(release, image).map((tag) => exactly(KUBEADM_IMAGE_NAMES[image], tag));
  return [...programsOf(release), ...chosen('etcd'), ...chosen('coredns'), ...chosen('pause')];
}

/** An image that the releases under `kubernetes` of a set need, and the tags that they need of it. */
export interface ClusterImage {
  readonly name: ImageName;
  readonly needs: readonly ClusterNeed[];
  /** The places of the releases that need it. */
  readonly places: readonly Place[];
}

/** Returns the images that releases need, by name. */
export function clusterImages(
  releases: readonly Entry<KubernetesRelease>[],
): ReadonlyMap<ImageName, ClusterImage> {
  const images = new Map<ImageName, ClusterImage>();
  for (const { value, place } of releases) {
    for (const [name, needs] of Map.groupBy(clusterNeeds(value), (need) => need.name)) {
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
