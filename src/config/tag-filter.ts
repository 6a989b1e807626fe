import { RE2JS, RE2JSException } from 're2js';
import { Range, satisfies } from 'semver';
import { z } from 'zod';
import { Failure } from '../lib/failure.ts';
import { type DatedTag, isOrderTold, newestFirst, newestReleasesFirst } from './tag-age.ts';
import { readTagVersion, type TagVersion } from './tag-version.ts';
import { textOf } from './validation.ts';

/** Which tags of a repository are wanted. A tag must pass every filter that is set. `latest` is applied last. */
export interface TagFilter {
  /** The wanted versions, as a range in npm's syntax. Tags that are not versions do not pass. */
  readonly semver?: Range | undefined;
  /** The number of wanted tags, the newest first. */
  readonly latest?: number | undefined;
  /** The first wanted day of upload. A tag whose upload time is unknown passes. */
  readonly since?: Date | undefined;
  /** A pattern that must match somewhere in the tag. `^` and `$` match its ends. */
  readonly regex?: TagPattern | undefined;
}

/** A regular expression that takes time linear in the length of the tag. */
interface TagPattern {
  readonly source: string;
  test(tag: string): boolean;
}

function readRange(text: string): Range {
  try {
    if (text.trim() === '') throw new TypeError('an empty range');
    // In Go's tools, commas separate the parts of a range.
    return new Range(text.replaceAll(',', ' '));
  } catch (cause) {
    throw new Failure({
      code: 'RANGE_MALFORMED',
      fault: 'usage',
      about: 'semver',
      message: `expected a range of versions, found ${JSON.stringify(text)}`,
      hint: 'write one such as ">=1.35", "~1.36.2" or ">=1.9 <2 || 3.x"',
      cause,
    });
  }
}

function readPattern(text: string): TagPattern {
  try {
    const pattern = RE2JS.compile(text);
    return { source: text, test: (tag) => pattern.test(tag) };
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw new Failure({
      code: 'REGEX_MALFORMED',
      fault: 'usage',
      about: 'regex',
      message: `expected a regular expression, found ${JSON.stringify(text)}: ${cause.message}`,
      hint: 'the grammar is RE2, which has neither lookaround nor backreferences',
      cause,
    });
  }
}

const DAY = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

function readDate(text: string): Date {
  const day = DAY.exec(text)?.[1];
  const date = new Date(text);
  // JavaScript reads 30 February as 1 March.
  const exists = day !== undefined && new Date(day).toJSON()?.startsWith(day) === true;
  if (!exists || Number.isNaN(date.getTime())) {
    throw new Failure({
      code: 'DATE_MALFORMED',
      fault: 'usage',
      about: 'since',
      message: `expected a day, found ${JSON.stringify(text)}`,
      hint: 'write it as 2026-03-31, or with a time and its zone as 2026-03-31T08:00:00Z',
    });
  }
  return date;
}

/** The schema of `tags` in a set and in a patch. */
export const tagFilterSchema = z.strictObject({
  semver: textOf(readRange).optional(),
  latest: z.int().min(1).optional(),
  since: textOf(readDate).optional(),
  regex: textOf(readPattern).optional(),
});

/** The last tag that `latest` takes and the first that it leaves, if it is not certain which of them is newer. */
export interface UnclearCut {
  readonly taken: string;
  readonly left: string;
}

/** Tags that pass a filter. */
interface FilteredTags<Dated> {
  /** In no particular order. */
  readonly tags: readonly Dated[];
  readonly unclearCut: UnclearCut | undefined;
  /** Whether no tag passes because of `since` alone: nothing was uploaded since then. */
  readonly isAllOlder: boolean;
}

/** Returns the tags that pass a filter. `latest` applies to those that pass everything else. */
export function filterTags<Dated extends DatedTag>(
  filter: TagFilter,
  tags: readonly Dated[],
): FilteredTags<Dated> {
  const passing = tags.filter((tag) => passes(filter, tag));
  const { latest, semver } = filter;
  const undated = { ...filter, since: undefined };
  const isAllOlder = passing.length === 0 && tags.some((tag) => passes(undated, tag));
  if (latest === undefined || passing.length <= latest)
    return { tags: passing, unclearCut: undefined, isAllOlder };
  // If the filter has a range, pre-releases that it contains have the same rank as releases.
  const ordered = semver === undefined ? newestReleasesFirst(passing) : newestFirst(passing);
  const [taken, left] = ordered.slice(latest - 1, latest + 1);
  const isClear = taken === undefined || left === undefined || isOrderTold(taken, left, passing);
  return {
    tags: ordered.slice(0, latest),
    unclearCut: isClear ? undefined : { taken: taken.tag, left: left.tag },
    isAllOlder,
  };
}

/** Returns whether a tag passes a filter, apart from `latest`. */
function passes({ regex, since, semver }: TagFilter, { tag, uploaded }: DatedTag): boolean {
  if (regex !== undefined && !regex.test(tag)) return false;
  if (since !== undefined && uploaded !== undefined && uploaded < since) return false;
  if (semver === undefined) return true;
  const version = readTagVersion(tag);
  return version.kind === 'version' && satisfies(semverOf(version), semver);
}

/** Returns a version in the notation of semver, for ranges. A revision or other suffix of a release is ignored. */
function semverOf(version: TagVersion): string {
  const [major = 0, minor = 0, patch = 0] = version.numbers;
  const base = `${major}.${minor}.${patch}`;
  if (!version.prerelease) return base;
  return `${base}-${version.suffix.map((part) => part.replace(/^0+(?=\d)/, '')).join('.')}`;
}
