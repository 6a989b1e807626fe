import type { ImageSet } from '../config/image-set.ts';
import { formatReference } from '../registry/reference.ts';
import type { RepositoryPlan } from './planning.ts';
import { releaseWishes, type Selection } from './release-wish.ts';
import { wantsRepository } from './selection.ts';
import type { SourceView } from './state.ts';
import { shrunkWarning } from './wording.ts';

/** Gives the tags that plans select, by image. */
export function selectionOf(plans: readonly RepositoryPlan[]): Selection {
  return new Map(plans.flatMap(({ selected }) => [...selected]));
}

/** Gives what a run saw at its sources: which lines of the image set matched, and how much each repository listed. */
export function viewOfSource(set: ImageSet, plans: readonly RepositoryPlan[]): SourceView {
  const listed = plans.flatMap((plan) => [...plan.listed]);
  const names = listed.map(([{ name }]) => name);
  const wanted = names.filter((name) => wantsRepository(set, name));
  const prefixes = set.prefixes
    .map(({ value }) => value)
    .filter((prefix) => wanted.some((name) => name.startsWith(prefix)));
  const releases = releaseWishes(set, selectionOf(plans)).flatMap(({ text, isMet }) => (isMet ? [text] : []));
  const listings = listed
    .filter(([{ namedTags }]) => namedTags === undefined)
    .map(([{ registry, repository }, size]): [string, number] => [
      formatReference({ host: registry.host, repository }),
      size,
    ]);
  return { matched: [...new Set([...names, ...prefixes, ...releases])], listings: new Map(listings) };
}

/** Gives a warning for each repository whose listing lost a fifth of its tags or more since the last run. */
export function compareListings(before: SourceView, after: SourceView): string[] {
  return [...after.listings].flatMap(
    ([name, size]) => shrunkWarning(name, before.listings.get(name) ?? 0, size) ?? [],
  );
}
