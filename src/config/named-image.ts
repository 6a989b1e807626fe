import type { Place } from '../lib/reporter.ts';
import type { Digest } from '../registry/oci/digest.ts';
import { digestTag } from '../registry/oci/digest-tag.ts';
import {
  formatReference,
  type Host,
  type Reference,
  type Repository,
  type Tag,
} from '../registry/oci/reference.ts';
import type { ImageName } from './image-set-name.ts';

/** The digest that a wanted tag must have, whatever image its source has under the tag now. */
export interface PinnedDigest {
  readonly digest: Digest;
  /** Whether only the digest was written. The tag was then made from it, and exists only at the destination. */
  readonly isTagMade: boolean;
}

/** A repository of another registry, or of a given image, with the tags that the set names. */
export interface NamedImage {
  readonly name: ImageName;
  readonly host: Host;
  readonly repository: Repository;
  /** The tags that are named. */
  readonly tags: ReadonlySet<Tag>;
  /** The digests that are named with them. */
  readonly pins: ReadonlyMap<Tag, PinnedDigest>;
  /** Whether it is also named without a tag: then all tags that it lists and that pass the filters are wanted. */
  readonly isListed: boolean;
  readonly places: readonly Place[];
  /** Where each tag is named first. */
  readonly tagPlaces: ReadonlyMap<Tag, Place>;
}

/** An image in one place that names it. */
interface Mention {
  /** The name of its repository in the set. */
  readonly name: ImageName;
  /** The registry that it comes from. */
  readonly host: Host;
  readonly reference: Reference;
  readonly place: Place | undefined;
}

/** A tag that is named with two digests. */
interface Contradiction {
  /** `host/repository:tag`. */
  readonly about: string;
  readonly digests: readonly [first: Digest, second: Digest];
  readonly places: readonly [first: Place | undefined, second: Place | undefined];
}

/** The images of a set by their names, and contradictions between them. */
interface NamedImages {
  readonly images: ReadonlyMap<ImageName, NamedImage>;
  readonly contradictions: readonly Contradiction[];
}

/** Joins images by repository, in their order. */
export function joinNamedImages(mentions: readonly Mention[]): NamedImages {
  const images = new Map<ImageName, NamedImage>();
  const contradictions: Contradiction[] = [];
  const pinPlaces = new Map<string, Place | undefined>();
  for (const { name, host, reference, place } of mentions) {
    const { repository, digest } = reference;
    const known = images.get(name);
    const tag = reference.tag ?? (digest && digestTag(digest));
    const pins = new Map(known?.pins);
    if (tag !== undefined && digest !== undefined) {
      const about = formatReference({ host: reference.host, repository, tag });
      const earlier = pins.get(tag);
      if (earlier === undefined) {
        pins.set(tag, { digest, isTagMade: reference.tag === undefined });
        pinPlaces.set(about, place);
      } else if (earlier.digest !== digest) {
        const places = [pinPlaces.get(about), place] as const;
        contradictions.push({ about, digests: [earlier.digest, digest], places });
      }
    }
    images.set(name, {
      name,
      host,
      repository,
      tags: new Set([...(known?.tags ?? []), ...(tag === undefined ? [] : [tag])]),
      pins,
      isListed: known?.isListed === true || tag === undefined,
      places: [...(known?.places ?? []), ...(place === undefined ? [] : [place])],
      tagPlaces: new Map([
        ...(tag === undefined || place === undefined ? [] : [[tag, place] as const]),
        ...(known?.tagPlaces ?? []),
      ]),
    });
  }
  return { images, contradictions };
}
