import { architecturesIn } from './kubernetes/architecture.ts';

/** The version in a tag. */
export interface TagVersion {
  /** `version`: numbers joined by dots; `date`: a day, as in nightly builds; `other`: `latest`, `master`. */
  readonly kind: 'version' | 'date' | 'other';
  /** One to four numbers of a version, or those of a day in the order of the tag. */
  readonly numbers: readonly number[];
  /**
   * The parts after the numbers, split into words and numbers: `-rc.1` is `rc` and `1`, `-flannel3` is `flannel` and
   * `3`.
   */
  readonly suffix: readonly string[];
  readonly prerelease: boolean;
}

// A suffix follows a "-" or "_" (a tag cannot have a "+"). Only the usual words need neither (1.2.3rc1, 2024.1.0b3).
const VERSION =
  /^v?(\d{1,5}(?:\.\d{1,9}){0,3})(?:[-_](.+)|((?:alpha|beta|rc|(?<=\.\d{1,9})[abc](?=\d))(?:[-_.]?\d+)?(?:[-_].+)?))?$/i;
const DATE = /^v?((?:19|20)\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?:[-_.tT](.+))?$/;
// Without dots also with single digits: 1.2.2024 is a version, and 12.11.2024.3 is one.
const LATE_YEAR =
  /(?<![\d.])(?:(\d\d?)([-_])(\d\d?)\2|(\d\d)\.(\d\d)\.)((?:19|20)\d\d)(?=$|[^0-9a-z.]|t\d|(?<=[-_]\d{4})\.)/i;
const UNFINISHED =
  /^(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly|daily|canary|edge|ea|eap|pr|m|unstable|experimental|insiders|next)$/i;
/** The output of `git describe` for a commit after a release: the number of commits, and the commit. */
const COMMIT_BEHIND_RELEASE = /^\d+-g[0-9a-f]{7,40}$/;
const OTHER: TagVersion = { kind: 'other', numbers: [], suffix: [], prerelease: false };

/** Returns whether a word of a tag means that the image is not a release: `rc`, `nightly`, `edge`, `pr`. */
export function isUnfinishedWord(word: string): boolean {
  return UNFINISHED.test(word);
}

/** A day with the year at the end. It is not always clear which of the other two numbers is the month. */
interface LateYear {
  readonly index: number;
  readonly text: string;
  readonly first: number;
  readonly second: number;
  readonly year: number;
}

/** Returns the day with the year at its end in a tag: `01-02-2024`, `nightly-31.12.2024`; undefined if it has none. */
export function findLateYear(tag: string): LateYear | undefined {
  const match = LATE_YEAR.exec(tag);
  if (match === null) return undefined;
  const [text, dashed, , afterDash, dotted, afterDot, year] = match;
  const [first, second] = [Number(dashed ?? dotted), Number(afterDash ?? afterDot)];
  const [low, high] = [Math.min(first, second), Math.max(first, second)];
  if (low < 1 || low > 12 || high > 31) return undefined;
  return { index: match.index, text, first, second, year: Number(year) };
}

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
  const late = findLateYear(tag);
  if (late !== undefined && /^v?$/i.test(tag.slice(0, late.index))) {
    const numbers = [late.first, late.second, late.year];
    const suffix = suffixParts(tag.slice(late.index + late.text.length));
    return { kind: 'date', numbers, suffix, prerelease: false };
  }
  const version = VERSION.exec(tag);
  if (version?.[1] === undefined) return OTHER;
  const text = version[2] ?? version[3] ?? '';
  const suffix = suffixParts(text);
  const prerelease =
    version[3] !== undefined || suffix.some(isUnfinishedWord) || COMMIT_BEHIND_RELEASE.test(text);
  return { kind: 'version', numbers: version[1].split('.').map(Number), suffix, prerelease };
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
