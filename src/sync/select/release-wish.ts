import { rcompare } from 'semver';
import type { ImageSet } from '../../config/image-set.ts';
import type { ImageName } from '../../config/image-set-name.ts';
import { clusterNeeds, KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import { kubeadmTags } from '../../config/kubernetes/kubeadm-tags.ts';
import { toKubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import type { Notice } from '../../config/problem.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Tag } from '../../registry/oci/reference.ts';

/** The selected tags by image. Images that exist but have no selected tag have an empty list. */
export type Selection = ReadonlyMap<ImageName, readonly Tag[]>;

/** An image that a release of Kubernetes in a set needs from the source. */
interface ReleaseWish {
  /** The image and tag, such as `etcd:3.7.0-0`. The release itself, if nothing was found for it at all. */
  readonly text: string;
  /** Of the image; undefined for the release itself. */
  readonly name?: ImageName | undefined;
  readonly place: Place;
  readonly isMet: boolean;
}

/** Returns the images that the releases of a set need, each with whether it was found. */
export function releaseWishes(set: ImageSet, found: Selection): ReleaseWish[] {
  return set.kubernetes.flatMap(({ value, place }): ReleaseWish[] => {
    const wishes = clusterNeeds(value).map(({ name, text, wants }) => ({
      text: `${name}:${text}`,
      name,
      place,
      isMet: found.get(name)?.some(wants) === true,
    }));
    // Releases share tags of pause and etcd. A release exists if one of its own programs does.
    const exists = wishes.slice(0, KUBERNETES_PROGRAMS.length).some(({ isMet }) => isMet);
    return exists ? wishes : [{ text: value.text, place, isMet: false }];
  });
}

/** Returns a notice for each minor of a set with a release that is newer than the newest known kubeadm. */
export function newerReleases(set: ImageSet, found: Selection): Notice[] {
  const versions = (found.get('kube-apiserver') ?? []).flatMap((tag) => toKubernetesVersion(tag) ?? []);
  return set.kubernetes.flatMap(({ value, place }) => {
    if (value.kind === 'version') return [];
    const [newest] = versions
      .filter((version) => version.startsWith(`${value.text}.`) && !version.includes('-'))
      .toSorted(rcompare);
    const message = newest === undefined ? undefined : kubeadmTags(newest)?.warning;
    return message === undefined ? [] : [{ place, message }];
  });
}
