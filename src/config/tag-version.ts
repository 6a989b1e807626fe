import { architecturesIn } from './kubernetes/architecture.ts';

/** The version in a tag. */
export interface TagVersion {
  /** `version`: numbers joined by dots; `date`: a day, as nightly builds have it; `other`: `latest`, `master`. */
  readonly kind: 'version' | 'date' | 'other';
  /** One to four numbers of a version, or year, month and day. */
  readonly numbers: readonly number[];
  /**
   * The parts after the numbers, split into words and numbers: `-rc.1` is `rc` and `1`, `-flannel3` is `flannel` and
   * `3`.
   */
  readonly suffix: readonly string[];
  readonly prerelease: boolean;
}

// A suffix follows a "-" or "_" (a tag cannot have a "+"). Only the usual words need neither (1.2.3rc1).
const VERSION = /^v?(\d{1,5}(?:\.\d{1,9}){0,3})(?:[-_](.+)|((?:alpha|beta|rc)(?:[-_.]?\d+)?(?:[-_].+)?))?$/i;
const DATE = /^v?((?:19|20)\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?:[-_.tT](.+))?$/;
const PRERELEASE = /^(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly|canary|m)$/i;
/** The output of `git describe` for a commit after a release: the number of commits, and the commit. */
const COMMIT_BEHIND_RELEASE = /^\d+-g[0-9a-f]{7,40}$/;
const OTHER: TagVersion = { kind: 'other', numbers: [], suffix: [], prerelease: false };

function suffixParts(suffix: string): string[] {
  return suffix.match(/[0-9]+|[A-Za-z]+/g) ?? [];
}

/** Returns the version in a tag. Accepts any text. */
export function readTagVersion(tag: string): TagVersion {
  const date = DATE.exec(tag);
  if (date !== null) {
    const numbers = date.slice(1, 4).map(Number);
    return { kind: 'date', numbers, suffix: suffixParts(date[4] ?? ''), prerelease: false };
  }
  const version = VERSION.exec(tag);
  if (version?.[1] === undefined) return OTHER;
  const text = version[2] ?? version[3] ?? '';
  const suffix = suffixParts(text);
  const prerelease = suffix.some((part) => PRERELEASE.test(part)) || COMMIT_BEHIND_RELEASE.test(text);
  return { kind: 'version', numbers: version[1].split('.').map(Number), suffix, prerelease };
}

function compareParts(one: string, other: string): number {
  const numbers = /^\d/.test(one) && /^\d/.test(other);
  if (numbers) return Number(one) - Number(other) || compareTexts(one, other);
  // As in semver, a number is older than a word.
  if (/^\d/.test(one)) return -1;
  if (/^\d/.test(other)) return 1;
  return compareTexts(one, other);
}

/** Compares code units, so that the order is the same on every machine. */
function compareTexts(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function compareLists<Item>(
  one: readonly Item[],
  other: readonly Item[],
  compare: (one: Item, other: Item) => number,
): number {
  let index = 0;
  for (const left of one) {
    const right = other[index];
    if (right === undefined) return 1;
    const difference = compare(left, right);
    if (difference !== 0) return difference;
    index += 1;
  }
  return one.length - other.length;
}

/** Missing numbers are 0: `1.2` is as new as `1.2.0`. */
function compareNumbers(one: readonly number[], other: readonly number[]): number {
  for (let index = 0; index < MOST_NUMBERS; index += 1) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const MOST_NUMBERS = 4;
const KINDS = ['other', 'date', 'version'] as const;

/** Orders versions, the oldest first: other tags, then dates, then versions. Returns 0 for equal ones. */
function compareVersions(one: TagVersion, other: TagVersion): number {
  return (
    KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) ||
    compareNumbers(one.numbers, other.numbers) ||
    Number(other.prerelease) - Number(one.prerelease) ||
    compareLists(one.suffix, other.suffix, compareParts) ||
    one.numbers.length - other.numbers.length
  );
}

/** A tag, and when it was uploaded, if that is known. */
export interface DatedTag {
  readonly tag: string;
  readonly uploaded?: Date | undefined;
}

/**
 * Returns tags ordered by version, then by upload, then by their letters, the newest first. Versions come before dates,
 * and dates before other tags (`latest`, `master`).
 */
export function newestFirst<Dated extends DatedTag>(tags: readonly Dated[]): Dated[] {
  // Each tag is parsed once and not at every comparison: a run may order a hundred thousand.
  return tags
    .map((dated) => ({ dated, version: readTagVersion(dated.tag), uploaded: dated.uploaded?.getTime() ?? 0 }))
    .sort(
      (one, other) =>
        compareVersions(other.version, one.version) ||
        other.uploaded - one.uploaded ||
        compareTexts(one.dated.tag, other.dated.tag),
    )
    .map(({ dated }) => dated);
}

const MOVING = /^(?:latest|nightly|snapshot|dev|edge|canary|main|master|head|tip|stable|current|next)$/i;
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Returns whether a tag is probably never moved: a date, a whole commit, or a version of three or more numbers. A
 * suffix must end with a number or an architecture: `v1.9.1-flannel3`, `3.5.21-0`, `v1.8.0-s390x`. When in doubt,
 * returns false.
 */
export function looksImmutable(tag: string): boolean {
  if (COMMIT.test(tag)) return true;
  const { kind, numbers, suffix } = readTagVersion(tag);
  if (kind === 'other' || suffix.some((part) => MOVING.test(part))) return false;
  const last = suffix.at(-1);
  if (kind === 'date') return true;
  return numbers.length >= 3 && (last === undefined || /^\d/.test(last) || endsWithArchitecture(tag));
}

function endsWithArchitecture(tag: string): boolean {
  return architecturesIn(tag.split(/[-_.]/).at(-1) ?? '').length > 0;
}
