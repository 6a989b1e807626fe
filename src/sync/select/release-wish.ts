import { rcompare } from 'semver';
import { clusterNeeds, KUBERNETES_PROGRAMS } from '../../config/cluster-image.ts';
import type { ImageName } from '../../config/image-name.ts';
import type { ImageSet } from '../../config/image-set.ts';
import { kubeadmImages } from '../../config/kubernetes/kubeadm-images.ts';
import { toKubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import type { Notice } from '../../config/problem.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Tag } from '../../registry/oci/reference.ts';

/** The tags that were selected, by image: of every image that exists, also of those where it is none. */
export type Selection = ReadonlyMap<ImageName, readonly Tag[]>;

/** Something that a release of Kubernetes in a set asks of the source. */
interface ReleaseWish {
  /** The image and tag, such as `etcd:3.7.0-0`; the release where nothing at all was found for it. */
  readonly text: string;
  /** Of the image; undefined where it is the release. */
  readonly name?: ImageName;
  readonly place: Place;
  readonly isMet: boolean;
}

/** Returns what the releases of a set ask for, and whether it was found. */
export function releaseWishes(set: ImageSet, found: Selection): ReleaseWish[] {
  return set.kubernetes.flatMap(({ value, place }): ReleaseWish[] => {
    const wishes = clusterNeeds(value).map(({ name, text, wants }) => ({
      text: `${name}:${text}`,
      name,
      place,
      isMet: found.get(name)?.some(wants) === true,
    }));
    // Versions share the tags of pause and etcd; the release itself exists where one of its programs does.
    const exists = wishes.slice(0, KUBERNETES_PROGRAMS.length).some(({ isMet }) => isMet);
    return exists ? wishes : [{ text: value.text, place, isMet: false }];
  });
}

/** Returns a notice for each minor of a set of which a release was found that is newer than what is known of kubeadm. */
export function newerReleases(set: ImageSet, found: Selection): Notice[] {
  const versions = (found.get('kube-apiserver') ?? []).flatMap((tag) => toKubernetesVersion(tag) ?? []);
  return set.kubernetes.flatMap(({ value, place }) => {
    if (value.kind === 'version') return [];
    const [newest] = versions
      .filter((version) => version.startsWith(`${value.text}.`) && !version.includes('-'))
      .toSorted(rcompare);
    const message = newest === undefined ? undefined : kubeadmImages(newest)?.warning;
    return message === undefined ? [] : [{ place, message }];
  });
}
