import type { ImageSet } from '../../config/image-set.ts';
import type { ImageName } from '../../config/image-set-name.ts';
import type { Notice } from '../../config/problem.ts';
import { unmatchedScopes } from '../../config/unmatched-scope.ts';
import type { Place } from '../../lib/reporter.ts';
import { formatReference, type Tag } from '../../registry/oci/reference.ts';
import type { Grouping } from '../plan/naming.ts';
import type { ListedRepository, RepositoryPlan } from '../plan/planning.ts';
import type { Report } from '../report/report.ts';
import {
  cutListWarning,
  endlessListWarning,
  filteredPrefixWarning,
  filteredWarning,
  shrunkWarning,
  unclearCutWarning,
} from '../report/wording.ts';
import { releaseWishes, type Selection } from '../select/release-wish.ts';
import { wantsRepository } from '../select/selection.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import { unmatched } from '../select/unmatched.ts';
import type { SourceView } from '../state/run-rows.ts';

/** A warning about what a source lists. */
interface SourceNotice {
  readonly message: string;
  /** Undefined if no single line of the set wants it by its name. */
  readonly place: Place | undefined;
}

/** Returns the selected tags of some plans by image. */
function selectionOf(plans: readonly RepositoryPlan[]): Selection {
  return new Map(
    plans.flatMap(({ members }) =>
      members.map(({ name, tags }): [ImageName, Tag[]] => [name, [...tags.keys()]]),
    ),
  );
}

/** Returns what a run found at its sources: the lines of the image set that matched, and the size of each listing. */
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

/** Returns a warning for each repository whose listing is at least a fifth smaller than in the last run. */
export function compareListings(before: SourceView, after: SourceView): string[] {
  return [...after.listings].flatMap(
    ([name, size]) => shrunkWarning(name, before.listings.get(name) ?? 0, size) ?? [],
  );
}

/** An image of which no tag is wanted. */
type Unselected = NonNullable<Report['unselected']>[number];

/** Returns the images of some plans that have tags of which none is wanted. */
export function findUnselected(set: ImageSet, plans: readonly RepositoryPlan[]): Unselected[] {
  return plans.flatMap(({ members }) =>
    members.flatMap((member): Unselected[] => {
      const { name: image, emptied } = member;
      if (emptied === undefined) return [];
      return [{ image, tags: imageTagsOf(member), emptied, place: placeOf(set, image) }];
    }),
  );
}

/** Returns a warning for each image that the set names and of which no tag passes its filters. */
export function findFilteredAway(unselected: readonly Unselected[]): Notice[] {
  return unselected.flatMap(({ image, tags, emptied, place }): Notice[] =>
    place === undefined || emptied === 'since' ? [] : [{ place, message: filteredWarning(image, tags) }],
  );
}

/**
 * Returns a warning for each prefix of a set that finds images of which no tag passes the filters. If only some of its
 * images have other tags, that is not an error.
 */
export function findFilteredPrefixes(
  set: ImageSet,
  plans: readonly RepositoryPlan[],
  unselected: readonly Unselected[],
): Notice[] {
  const filtered = unselected.filter(({ emptied }) => emptied === 'filters');
  const left = new Map(filtered.map(({ image, tags }) => [image, tags]));
  const names = plans.flatMap(({ members }) => members.map(({ name }) => name));
  return set.prefixes.flatMap(({ value, place }): Notice[] => {
    const found = names.filter((name) => name.startsWith(value) && wantsRepository(set, name));
    if (found.length === 0 || !found.every((name) => left.has(name))) return [];
    const tags = found.reduce((sum, name) => sum + (left.get(name) ?? 0), 0);
    return [{ place, message: filteredPrefixWarning(value, found.length, tags) }];
  });
}

/** Returns a warning for each list of tags whose end was not reached. */
export function findEndlessLists(set: ImageSet, plans: readonly RepositoryPlan[]): SourceNotice[] {
  return plans.flatMap(({ members }) =>
    members.flatMap((member): SourceNotice[] => {
      const { name, listing } = member;
      const place = placeOf(set, name);
      const size = sizeOf(member);
      if (listing.isCircular === true) return [{ place, message: endlessListWarning(name, size) }];
      return listing.isCut === true ? [{ place, message: cutListWarning(name, size) }] : [];
    }),
  );
}

/** Returns a warning for each image of which the newest tags are wanted but it is unknown which these are. */
export function findUnclearCuts(set: ImageSet, plans: readonly RepositoryPlan[]): SourceNotice[] {
  return plans.flatMap(({ members }) =>
    members.flatMap(({ name, unclearCut }): SourceNotice[] =>
      unclearCut === undefined
        ? []
        : [{ place: placeOf(set, name), message: unclearCutWarning(name, unclearCut) }],
    ),
  );
}

/** Returns the line of a set that wants an image by its name; undefined if a prefix or a release does. */
function placeOf(set: ImageSet, name: ImageName): Place | undefined {
  return set.names.find(({ value }) => value === name)?.place ?? set.extraImages.get(name)?.places[0];
}

/** What a run found, and what the run before it found. */
export interface Sight {
  readonly set: ImageSet;
  readonly groups: Grouping['groups'];
  readonly nameless: Grouping['nameless'];
  /** The plans of the groups that could be listed. */
  readonly plans: readonly RepositoryPlan[];
  /** What prefixes found and `exclude` left out. */
  readonly excluded: ReadonlySet<string>;
  readonly before: SourceView;
}

/**
 * Returns the lines of the image set that match nothing, without those whose repositories could not be listed or have no
 * name at the destination.
 */
export function findUnmatched({
  set,
  groups,
  nameless,
  plans,
  excluded,
  before,
}: Sight): Report['unmatched'] {
  const planned = new Set(plans.map(({ repository }) => repository));
  const unlisted = groups
    .filter(({ repository }) => !planned.has(repository))
    .flatMap(({ members }) => members.map(({ name }) => name))
    .concat(nameless.map(({ found }) => found.name));
  const lines = unmatched(set, selectionOf(plans), { unlisted: new Set(unlisted), excluded });
  return lines.map(({ text, place, excluded: left }) => ({
    pattern: text,
    place,
    // A name that the set itself excludes now has not vanished.
    matchedBefore: left === undefined && before.matched.includes(text),
    excluded: left,
  }));
}

/** Returns a warning for each key of `signatures` and `movedTags` that fits none of the images that are wanted. */
export function findUnmatchedScopes({ set, groups, nameless, plans }: Sight): Notice[] {
  const listed = new Map(plans.flatMap(({ members }) => members.map((member) => [member.name, member])));
  const wanted = [...groups.flatMap(({ members }) => members), ...nameless.map(({ found }) => found)];
  const images = wanted.map(({ name, registry, repository }) => {
    const member = listed.get(name);
    return { host: registry.host, repository, tags: member && tagsOf(member) };
  });
  return unmatchedScopes(set.scopes, images);
}

/** Returns all tags of a repository; undefined if its list had no end or was cut. */
function tagsOf({ tags, listing }: ListedRepository): ReadonlySet<string> | undefined {
  if (listing.isCircular === true || listing.isCut === true) return undefined;
  return new Set([...tags.keys(), ...listing.tags, ...listing.manifests.keys()]);
}

/** Returns the number of tags in a listing that filters apply to: those of images, not of their signatures. */
function imageTagsOf({ listing: { tags, manifests } }: ListedRepository): number {
  return [...new Set([...tags, ...manifests.keys()])].filter((tag) => !isSignatureTag(tag)).length;
}

/** Returns the number of entries in a listing. */
function sizeOf({ listing: { tags, manifests } }: ListedRepository): number {
  return tags.length || manifests.size;
}
