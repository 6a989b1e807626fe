import type { ImageSet } from '../../config/image-set.ts';
import type { Place } from '../../lib/reporter.ts';
import { extrasOf } from '../select/extras.ts';

/**
 * Returns where an image set asks for one of the sources (`host/repository:tag`) that want a name; the last one found,
 * because the first keeps the name. Undefined where they are found by a prefix that names neither.
 */
export function placeOfClaim(
  set: ImageSet,
  sourceHost: string,
  claimants: readonly string[],
): Place | undefined {
  const prefixes = set.prefixes.toSorted((one, other) => other.value.length - one.value.length);
  const extras = extrasOf(set);
  return claimants
    .toReversed()
    .map((claimant) => claimant.replace(/:[^:/]*$/, ''))
    .map((full) => (full.startsWith(`${sourceHost}/`) ? full.slice(sourceHost.length + 1) : full))
    .map(
      (name) =>
        set.names.find(({ value }) => value === name)?.place ??
        set.clusterImages.get(name)?.places[0] ??
        extras.get(name)?.places[0] ??
        prefixes.find(({ value }) => name.startsWith(value))?.place,
    )
    .find((place) => place !== undefined);
}
