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

// A suffix follows a "-" or "_" (a tag cannot have a "+"). Only the usual words need neither (1.2.3rc1, 2024.1.0b3).
const VERSION =
  /^v?(\d{1,5}(?:\.\d{1,9}){0,3})(?:[-_](.+)|((?:alpha|beta|rc|(?<=\.\d{1,9})[abc](?=\d))(?:[-_.]?\d+)?(?:[-_].+)?))?$/i;
const DATE = /^v?((?:19|20)\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?:[-_.tT](.+))?$/;
const UNFINISHED =
  /^(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly|daily|canary|edge|ea|eap|pr|m|unstable|experimental|insiders|next)$/i;
/** The output of `git describe` for a commit after a release: the number of commits, and the commit. */
const COMMIT_BEHIND_RELEASE = /^\d+-g[0-9a-f]{7,40}$/;
const OTHER: TagVersion = { kind: 'other', numbers: [], suffix: [], prerelease: false };

/** Returns whether a word of a tag says that what it names is no release: `rc`, `nightly`, `edge`, `pr`. */
export function isUnfinishedWord(word: string): boolean {
  return UNFINISHED.test(word);
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
