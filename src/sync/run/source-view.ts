import type { ImageName } from '../../config/image-name.ts';
import type { ImageSet } from '../../config/image-set.ts';
import type { Notice } from '../../config/problem.ts';
import { formatReference, type Tag } from '../../registry/oci/reference.ts';
import type { RepositoryGroup } from '../plan/naming.ts';
import type { ListedRepository, RepositoryPlan } from '../plan/planning.ts';
import type { Report } from '../report/report.ts';
import { filteredWarning, shrunkWarning } from '../report/wording.ts';
import { releaseWishes, type Selection } from '../select/release-wish.ts';
import { unmatched, wantsRepository } from '../select/selection.ts';
import type { SourceView } from '../state/run-rows.ts';

/** Returns the tags that plans select, by image. */
export function selectionOf(plans: readonly RepositoryPlan[]): Selection {
  return new Map(
    plans.flatMap(({ members }) =>
      members.map(({ name, tags }): [ImageName, Tag[]] => [name, [...tags.keys()]]),
    ),
  );
}

/** Returns what a run saw at its sources: which lines of the image set matched, and how much each repository listed. */
export function viewOfSource(set: ImageSet, plans: readonly RepositoryPlan[]): SourceView {
  const listed = plans.flatMap(({ members }) => members);
  const names = listed.map(({ name }) => name);
  const wanted = names.filter((name) => wantsRepository(set, name));
  const prefixes = set.prefixes
    .map(({ value }) => value)
    .filter((prefix) => wanted.some((name) => name.startsWith(prefix)));
  const releases = releaseWishes(set, selectionOf(plans)).flatMap(({ text, isMet }) => (isMet ? [text] : []));
  const listings = listed
    .filter(({ namedTags }) => namedTags === undefined)
    .map((member): [string, number] => [
      formatReference({ host: member.registry.host, repository: member.repository }),
      sizeOf(member),
    ]);
  return { matched: [...new Set([...names, ...prefixes, ...releases])], listings: new Map(listings) };
}

/** Returns a warning for each repository whose listing lost a fifth of its tags or more since the last run. */
export function compareListings(before: SourceView, after: SourceView): string[] {
  return [...after.listings].flatMap(
    ([name, size]) => shrunkWarning(name, before.listings.get(name) ?? 0, size) ?? [],
  );
}

/** Returns a warning for each image that the set names, whose tags are there and all filtered away. */
export function findFilteredAway(set: ImageSet, plans: readonly RepositoryPlan[]): Notice[] {
  return plans.flatMap(({ members }) =>
    members.flatMap((member): Notice[] => {
      const { name, namedTags, tags } = member;
      const size = sizeOf(member);
      const place =
        set.names.find(({ value }) => value === name)?.place ?? set.extraImages.get(name)?.places[0];
      const isFiltered = namedTags === undefined && size > 0 && tags.size === 0;
      return isFiltered && place !== undefined ? [{ place, message: filteredWarning(name, size) }] : [];
    }),
  );
}

/** What a run saw, and what the one before it did. */
export interface Sight {
  readonly set: ImageSet;
  readonly groups: readonly RepositoryGroup[];
  /** Of the groups that could be listed. */
  readonly plans: readonly RepositoryPlan[];
  readonly before: SourceView;
}

/** Returns the lines of the image set that match nothing; of what could not be listed nothing is known. */
export function findUnmatched({ set, groups, plans, before }: Sight): Report['unmatched'] {
  const planned = new Set(plans.map(({ repository }) => repository));
  const unlisted = groups
    .filter(({ repository }) => !planned.has(repository))
    .flatMap(({ members }) => members.map(({ name }) => name));
  return unmatched(set, selectionOf(plans), new Set(unlisted)).map(({ text, place }) => ({
    pattern: text,
    place,
    matchedBefore: before.matched.includes(text),
  }));
}

/** How many entries the source listed. */
function sizeOf({ listing: { tags, manifests } }: ListedRepository): number {
  return tags.length || manifests.size;
}
