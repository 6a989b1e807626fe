import type { ImageSet } from '../../config/image-set.ts';
import { type ImageName, withoutKubernetesHost } from '../../config/image-set-name.ts';
import { KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import type { Place } from '../../lib/reporter.ts';
import { releaseWishes, type Selection } from './release-wish.ts';
import { isExcluded, wantsRepository } from './selection.ts';

/** A line of a set for which no image was found. */
interface Unmatched {
  readonly kind: 'kubernetes' | 'name' | 'prefix' | 'extra' | 'patch';
  /** The release, name or prefix, without the host of the source registry. */
  readonly text: string;
  readonly place: Place;
  /** How many names a prefix finds, all of which `exclude` leaves out; undefined if `exclude` is not the reason. */
  readonly excluded?: number | undefined;
}

/** What was searched for and is not among the images that were found. */
interface Absent {
  /** Images that could not be looked up. */
  readonly unlisted?: ReadonlySet<ImageName> | undefined;
  /** What prefixes find and `exclude` leaves out. */
  readonly excluded?: ReadonlySet<string> | undefined;
}

/**
 * Returns the lines of a set for which no image was found, each name once. Lines for `unlisted` images are
 * left out.
 */
export function unmatched(set: ImageSet, found: Selection, absent: Absent = {}): Unmatched[] {
  const all = unmatchedLines(set, found, absent);
  return [...Map.groupBy(all, ({ text }) => text).values()].flatMap(([first]) => first ?? []);
}

function unmatchedLines(
  set: ImageSet,
  found: Selection,
  { unlisted = new Set(), excluded = new Set() }: Absent,
): Unmatched[] {
  const names = new Set([...found.keys(), ...unlisted]);
  const isReleaseOpen = KUBERNETES_PROGRAMS.some((name) => unlisted.has(name));
  const wanted = [...names].filter((name) => wantsRepository(set, name));
  const plain = new Set([...names].map(withoutKubernetesHost));
  return [
    ...releaseWishes(set, found)
      .filter(({ isMet, name }) => !isMet && !(name === undefined ? isReleaseOpen : unlisted.has(name)))
      .map(({ text, place }): Unmatched => ({ kind: 'kubernetes', text, place })),
    ...set.names
      .filter(({ value }) => !names.has(value))
      .map(({ value, place }): Unmatched => ({ kind: 'name', text: value, place })),
    ...set.prefixes
      .filter(({ value }) => !wanted.some((name) => name.startsWith(value) && !isExcluded(set, name)))
      .map(({ value, place }): Unmatched => {
        const dropped = [...excluded].filter((name) => name.startsWith(value)).length;
        const isByExclude = dropped > 0 || isExcluded(set, value);
        return { kind: 'prefix', text: value, place, excluded: isByExclude ? dropped : undefined };
      }),
    ...[...set.extraImages.values()]
      .filter(({ name }) => !names.has(name))
      .flatMap(({ name, places }) =>
        places.map((place): Unmatched => ({ kind: 'extra', text: name, place })),
      ),
    ...[...set.patches.values()]
      .filter(({ match }) => !plain.has(match))
      .map(({ match, place }): Unmatched => ({ kind: 'patch', text: match, place })),
  ];
}
