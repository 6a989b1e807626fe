import type { ImageSet } from '../../config/image-set.ts';
import type { ImageName } from '../../config/image-set-name.ts';
import { KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Tag } from '../../registry/oci/reference.ts';

/** The selected tags by image. Images that exist but have no selected tag have an empty list. */
export type Selection = ReadonlyMap<ImageName, readonly Tag[]>;

/** An image that a release of Kubernetes in a set needs from the source. */
interface ReleaseWish {
  /** The image and tag, such as `etcd:3.7.0-0`; or the release, and the word of the set that means it. */
  readonly text: string;
  /** Of the image; undefined for the release itself. */
  readonly name?: ImageName | undefined;
  readonly place: Place;
  readonly isMet: boolean;
}

/**
 * Returns the releases of a set and the images that they need, each with whether it was found. If nothing was found for
 * a release, its images are left out.
 */
export function releaseWishes(set: ImageSet, found: Selection): ReleaseWish[] {
  return set.releases.flatMap(({ text: release, word, place, needs }): ReleaseWish[] => {
    const wishes = needs.map(({ name, text, wants }) => ({
      text: `${name}:${text}`,
      name,
      place,
      isMet: found.get(name)?.some(wants) === true,
    }));
    // Releases share tags of pause and etcd. A release exists if one of its own programs does.
    const exists = wishes.slice(0, KUBERNETES_PROGRAMS.length).some(({ isMet }) => isMet);
    if (!exists) return [{ text: release, place, isMet: false }];
    return [...new Set([release, word])]
      .map((text): ReleaseWish => ({ text, place, isMet: true }))
      .concat(wishes);
  });
}
