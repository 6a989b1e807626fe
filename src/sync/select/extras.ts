import { extraName, type ImageName } from '../../config/image-name.ts';
import type { ImageSet } from '../../config/image-set.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Host, Repository, Tag } from '../../registry/oci/reference.ts';

/** A repository of another registry, with all that the set's extras want of it. */
interface Extra {
  readonly name: ImageName;
  readonly host: Host;
  readonly repository: Repository;
  /** The tags that are named. */
  readonly tags: ReadonlySet<Tag>;
  /** Whether it is named without a tag too, so that what it lists is wanted as the filters say. */
  readonly listed: boolean;
  readonly places: readonly Place[];
}

/** Returns the extras of a set by repository, in the order of the file. */
export function extrasOf(set: ImageSet): ReadonlyMap<ImageName, Extra> {
  const extras = new Map<ImageName, Extra>();
  for (const { value, place } of set.extras) {
    const name = extraName(value);
    const earlier = extras.get(name);
    extras.set(name, {
      name,
      host: value.host,
      repository: value.repository,
      tags: new Set([...(earlier?.tags ?? []), ...(value.tag === undefined ? [] : [value.tag])]),
      listed: earlier?.listed === true || value.tag === undefined,
      places: [...(earlier?.places ?? []), place],
    });
  }
  return extras;
}
