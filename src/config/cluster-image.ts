import semver from 'semver';
import type { Place } from '../lib/reporter.ts';
import { parseTag, type Tag } from '../registry/oci/reference.ts';
import type { Entry } from './document.ts';
import type { ImageName } from './image-name.ts';
import { type KubeadmImage, kubeadmImages, kubeadmTagsOfMinor } from './kubernetes/kubeadm-images.ts';
import type { KubernetesRelease } from './kubernetes/kubernetes-release.ts';
import { kubernetesMinor, toKubernetesVersion } from './kubernetes/kubernetes-version.ts';

/** The images that carry the version of Kubernetes as their tag. */
export const KUBERNETES_PROGRAMS: readonly ImageName[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
];

/** What registry.k8s.io calls the images that kubeadm chooses by a table of its own. */
export const KUBEADM_IMAGE_NAMES: Readonly<Record<KubeadmImage, ImageName>> = {
  etcd: 'etcd',
  coredns: 'coredns/coredns',
  pause: 'pause',
};

/** Which tags of one image a release of Kubernetes needs. */
interface ClusterNeed {
  readonly name: ImageName;
  /** The tag, or for all releases of a minor such as `v1.37.*`. */
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
  const answer = kubeadmImages(release.version);
  return answer === undefined ? [] : [answer.tags[image]];
}

/** Returns what kubeadm of a release needs, its programs first; of a minor, what it needs for any of its releases. */
export function clusterNeeds(release: KubernetesRelease): ClusterNeed[] {
  const chosen = (image: KubeadmImage) =>
    chosenTags(release, image).map((tag) => exactly(KUBEADM_IMAGE_NAMES[image], tag));
  return [...programsOf(release), ...chosen('etcd'), ...chosen('coredns'), ...chosen('pause')];
}

/** An image that `kubernetes` of a set wants, with all that its releases need of it. */
export interface ClusterImage {
  readonly name: ImageName;
  readonly needs: readonly ClusterNeed[];
  /** Where the releases stand that need it. */
  readonly places: readonly Place[];
}

/** Returns the images that releases need together, by name. */
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
