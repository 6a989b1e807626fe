import type { ImageSet, Patch } from '../../config/image-set.ts';
import { type ImageName, withoutKubernetesHost } from '../../config/image-set-name.ts';
import type { PinnedDigest } from '../../config/named-image.ts';
import { type DatedTag, newestFirst } from '../../config/tag-age.ts';
import { filterTags, type UnclearCut } from '../../config/tag-filter.ts';
import type { Duration } from '../../lib/duration.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import type { Tag } from '../../registry/oci/reference.ts';
import { isSignatureTag } from './signature-tag.ts';

/** A tag that a source lists. */
export interface OfferedTag extends DatedTag {
  readonly tag: Tag;
}

/** Returns whether `exclude` of a set names a part of a text. */
export function isExcluded(set: ImageSet, text: string): boolean {
  return set.exclude.some((part) => text.includes(part));
}

/** Returns whether a set wants a repository of the source registry: for a cluster, by name or by prefix. */
export function wantsRepository(set: ImageSet, name: ImageName): boolean {
  return set.clusterImages.has(name) || asksForListing(set, name);
}

/** Returns whether a set wants all tags of a repository that pass its filters, not only those that kubeadm needs. */
function asksForListing(set: ImageSet, name: ImageName): boolean {
  if (set.names.some((entry) => entry.value === name)) return true;
  return set.prefixes.some((entry) => name.startsWith(entry.value)) && !isExcluded(set, name);
}

/** Returns whether a set could want a repository below `path/`. The path '' is the registry itself. */
export function couldWantBelow(set: ImageSet, path: string): boolean {
  const start = path === '' ? '' : `${path}/`;
  if (set.names.some((entry) => entry.value.startsWith(start))) return true;
  if ([...set.clusterImages.keys()].some((name) => name.startsWith(start))) return true;
  const begun = set.prefixes.some((entry) => entry.value.startsWith(start) || start.startsWith(entry.value));
  return begun && !isExcluded(set, start);
}

/** Returns the patch of a set for an image, if there is one. */
export function patchFor(set: ImageSet, name: ImageName): Patch | undefined {
  return set.patches.get(withoutKubernetesHost(name));
}

/** Returns how long a tag of an image must have had its image before that is mirrored; 0 for no time. */
export function minimumAgeFor(set: ImageSet, name: ImageName): Duration {
  return patchFor(set, name)?.minimumAge ?? set.minimumAge;
}

/** Returns the platforms that a set wants of an image. An empty list means all, undefined those of `--platform`. */
export function platformsFor(set: ImageSet, name: ImageName): readonly Platform[] | undefined {
  return patchFor(set, name)?.platforms;
}

/** Returns the digest that a tag must have. Undefined if it may have the one that the source has. */
export function pinFor(set: ImageSet, name: ImageName, tag: Tag): PinnedDigest | undefined {
  return set.extraImages.get(name)?.pins.get(tag);
}

/**
 * Why a set wants none of the tags that an image has: no tag passes its `filters`, which is a fault of the set; or tags
 * do, but none was uploaded since the day in `since`, which is not a fault.
 */
export type Emptied = 'filters' | 'since';

/** The tags that a set wants of an image. */
interface Selected {
  /** The newest first, without signature tags. */
  readonly tags: Tag[];
  /** Where `latest` cut the list of tags, if it is unknown which of the two tags at the cut is newer. */
  readonly unclearCut: UnclearCut | undefined;
  /** Undefined if there are tags, or if only tags that kubeadm needs are wanted. */
  readonly emptied: Emptied | undefined;
}

/**
 * Returns the tags that a set wants of an image. Filters and `exclude` do not apply to tags that an extra names or that
 * kubeadm needs. If nothing else wants the image, no other tags are wanted.
 */
export function selectTags(set: ImageSet, name: ImageName, offered: readonly OfferedTag[]): Selected {
  const ordinary = offered.filter(({ tag }) => !isSignatureTag(tag));
  const extra = set.extraImages.get(name);
  const needs = set.clusterImages.get(name)?.needs ?? [];
  const patched = patchFor(set, name)?.tags;
  const wish = patched === undefined ? set.cniWishes.get(name) : undefined;
  // A user who names a tag of signatures wants it.
  const pinned = offered.filter(
    ({ tag }) =>
      extra?.tags.has(tag) === true || tag === wish?.named || needs.some((need) => need.wants(tag)),
  );
  const filter = patched ?? wish?.filter ?? set.tags;
  const wantsOnlyPinned = extra?.isListed === false || (needs.length > 0 && !asksForListing(set, name));
  const candidates = wantsOnlyPinned ? [] : ordinary.filter(({ tag }) => !isExcluded(set, tag));
  const { tags, unclearCut, isAllOlder } = filterTags(filter, candidates);
  const chosen = new Map([...tags, ...pinned].map((one) => [one.tag, one]));
  const isEmptied = chosen.size === 0 && ordinary.length > 0 && !wantsOnlyPinned;
  return {
    tags: newestFirst([...chosen.values()]).map(({ tag }) => tag),
    unclearCut,
    emptied: isEmptied ? (isAllOlder ? 'since' : 'filters') : undefined,
  };
}

/**
 * Returns what `selectTags` returns, and in addition the tags that it would return if there were none that are too
 * young: if `latest` takes a young tag, an older one stays wanted until the young one is old enough.
 */
export function selectMature(
  set: ImageSet,
  name: ImageName,
  { offered, young }: { readonly offered: readonly OfferedTag[]; readonly young: ReadonlySet<Tag> },
): Selected {
  const selected = selectTags(set, name, offered);
  if (young.size === 0) return selected;
  const mature = selectTags(
    set,
    name,
    offered.filter(({ tag }) => !young.has(tag)),
  );
  return { ...selected, tags: [...new Set([...selected.tags, ...mature.tags])] };
}
