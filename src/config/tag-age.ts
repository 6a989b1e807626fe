import { architecturesIn } from './kubernetes/architecture.ts';
import { findLateYear, isUnfinishedWord, readTagVersion, type TagVersion } from './tag-version.ts';

/** A tag, and its upload time if known. */
export interface DatedTag {
  readonly tag: string;
  readonly uploaded?: Date | undefined;
}

/** A `bigint` if a number would be rounded. */
type TagNumber = number | bigint;

/** How a repository writes days with the year at the end: `31-01-2024` or `01-31-2024`. */
type DayOrder = 'day first' | 'month first';

/** What the name of a tag reveals about its age. */
interface TagAge {
  /**
   * `version`: the tag is one; `date`: it contains a day (`RELEASE.2024-05-13T01-02-03Z`, `jammy-20240513`);
   * `number`: it contains other numbers (`8u312-jdk`, `release-1.36`); `none`: it contains none (`latest`, `sha-7e12abc`).
   */
  readonly kind: 'version' | 'date' | 'number' | 'none';
  readonly isRelease: boolean;
  /** The numbers that are compared first: those of a version, or all numbers of other tags, starting with the date. */
  readonly numbers: readonly TagNumber[];
  /** For a release with a version. */
  readonly addition: Addition;
  /** The rest in order: the suffix of a version, and the words of other tags. */
  readonly parts: readonly string[];
  /** How many words are before each number. */
  readonly wordsBefore: readonly number[];
}

/**
 * What follows the version of a release: a revision of it (`-1`, `-flannel3`, `-eksbuild.2`), nothing, or the flavour of
 * an image that has the same age (`-alpine`, `-base-ubuntu22.04`, `-amd64`).
 */
type Addition = 'revision' | 'nothing' | 'flavour';

const ADDITIONS: readonly Addition[] = ['flavour', 'nothing', 'revision'];
const KINDS: readonly TagAge['kind'][] = ['none', 'number', 'date', 'version'];

const DATE =
  /(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?=(?:\d{4}|\d{6})?(?:$|[^0-9a-z]|t\d))/i;
/** Words of builds that are not releases: they name a branch or a commit. */
const BUILD =
  /^(?:main|master|head|tip|trunk|develop|devel|development|branch|feature|merge|ci|sha|git|commit)$/i;
const COMMIT_WORD = /^(?:sha|git|commit)$/i;
const COMMIT = /^(?:g?(?=.*[0-9])(?=.*[a-f])[0-9a-f]{6,64}|\d{7}|\d{40})$/i;

/** The possible orders of day and month in a repository's tags: an order with a 13th month is impossible. */
function dayOrdersOf(tags: readonly DatedTag[]): readonly DayOrder[] {
  const days = tags.flatMap(({ tag }) => findLateYear(tag) ?? []);
  const hasDayFirst = days.some(({ first }) => first > 12);
  const hasMonthFirst = days.some(({ second }) => second > 12);
  if (hasDayFirst === hasMonthFirst) return ['day first', 'month first'];
  return hasDayFirst ? ['day first'] : ['month first'];
}

/** Returns the place and the numbers of a day in a tag, year first; undefined if it has none. */
function findDay(
  tag: string,
  dayOrder: DayOrder,
): { readonly index: number; readonly text: string; readonly numbers: number[] } | undefined {
  const date = DATE.exec(tag);
  if (date !== null) {
    return { index: date.index, text: date[0], numbers: [date[1], date[3], date[4]].map(Number) };
  }
  const late = findLateYear(tag);
  if (late === undefined) return undefined;
  const { index, text, first, second, year } = late;
  const isDayFirst = first > 12 || (second <= 12 && dayOrder === 'day first');
  return { index, text, numbers: isDayFirst ? [year, second, first] : [year, first, second] };
}

/** Returns whether a tag contains a day, such as `20240513` or `2024-05-13T01-02-03Z`. */
export function namesDay(tag: string): boolean {
  return findDay(tag, 'day first') !== undefined;
}

/** Returns whether a tag contains a commit: `sha-7e12abc`, `main-1a2b3c4d`, `v20240513-35280ba`. */
export function namesCommit(tag: string): boolean {
  const chunks = tag.split(/[^0-9a-z]+/i);
  return chunks.some((chunk, index) => isCommit(chunk, chunks[index - 1] ?? ''));
}

function readTagAge(tag: string, dayOrder: DayOrder): TagAge {
  const version = readTagVersion(tag);
  if (version.kind === 'version') {
    const { numbers, prerelease, suffix } = version;
    const addition = additionOf(tag, version);
    return { kind: 'version', isRelease: !prerelease, numbers, addition, parts: suffix, wordsBefore: [] };
  }
  const day = findDay(tag, dayOrder);
  const rest =
    day === undefined ? tag : `${tag.slice(0, day.index)}-${tag.slice(day.index + day.text.length)}`;
  const { words, numbers, wordsBefore } = readWords(rest);
  const isRelease = !words.some((word) => isUnfinishedWord(word) || BUILD.test(word));
  const common = { isRelease, addition: 'nothing', parts: words, wordsBefore } as const;
  if (day !== undefined) return { ...common, kind: 'date', numbers: [...day.numbers, ...numbers] };
  return { ...common, kind: numbers.length === 0 ? 'none' : 'number', numbers };
}

function additionOf(tag: string, { suffix }: TagVersion): Addition {
  const [first, second, ...others] = suffix;
  if (first === undefined) return 'nothing';
  if (architecturesIn(tag.split(/[-_.]/).at(-1) ?? '').length > 0) return 'flavour';
  if (/^\d/.test(first)) return 'revision';
  return second !== undefined && /^\d/.test(second) && others.length === 0 ? 'revision' : 'flavour';
}

/** Reads the words and numbers of a tag. Commits are words, because they have no order, and so are architectures. */
function readWords(text: string): Pick<TagAge, 'numbers' | 'wordsBefore'> & { words: string[] } {
  const words: string[] = [];
  const numbers: TagNumber[] = [];
  const wordsBefore: number[] = [];
  for (const chunk of text.split(/[^0-9a-z]+/i)) {
    const isOfCommit = isCommit(chunk, words.at(-1) ?? '');
    const parts =
      isOfCommit || architecturesIn(chunk).length > 0 ? [chunk] : (chunk.match(/\d+|[a-z]+/gi) ?? []);
    for (const part of parts) {
      if (parts.length > 0 && /^\d+$/.test(part) && !isOfCommit) {
        numbers.push(readNumber(part));
        wordsBefore.push(words.length);
      } else words.push(part);
    }
  }
  return { words, numbers, wordsBefore };
}

function isCommit(chunk: string, wordBefore: string): boolean {
  return COMMIT.test(chunk) || (/\d/.test(chunk) && COMMIT_WORD.test(wordBefore));
}

function readNumber(digits: string): TagNumber {
  const value = Number(digits);
  return value > Number.MAX_SAFE_INTEGER ? BigInt(digits) : value;
}

function compareNumber(one: TagNumber, other: TagNumber): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Compares code units, so that the order is the same on every machine. */
function compareTexts(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function comparePart(one: string, other: string): number {
  if (/^\d+$/.test(one) && /^\d+$/.test(other)) {
    return compareNumber(readNumber(one), readNumber(other)) || compareTexts(one, other);
  }
  // A commit may begin with a digit.
  if (/^\d/.test(one) && /^\d/.test(other)) return compareTexts(one, other);
  // As in semver, a number is older than a word.
  if (/^\d/.test(one)) return -1;
  if (/^\d/.test(other)) return 1;
  return compareTexts(one, other);
}

function compareParts(one: readonly string[], other: readonly string[]): number {
  const index = firstDifference(one, other);
  const [left, right] = [one[index], other[index]];
  if (left === undefined || right === undefined) return one.length - other.length;
  return comparePart(left, right);
}

function firstDifference<Item>(one: readonly Item[], other: readonly Item[]): number {
  const index = one.findIndex((item, position) => item !== other[position]);
  return index < 0 ? one.length : index;
}

/** Missing numbers are 0: `1.2` is as new as `1.2.0`. */
function compareNumbers(one: readonly TagNumber[], other: readonly TagNumber[]): number {
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const difference = compareNumber(one[index] ?? 0, other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Orders ages, the oldest first. Returns 0 for equal ones. */
function compareAges(one: TagAge, other: TagAge): number {
  return (
    KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) ||
    (one.kind === 'version' ? 0 : Number(one.isRelease) - Number(other.isRelease)) ||
    compareNumbers(one.numbers, other.numbers) ||
    Number(one.isRelease) - Number(other.isRelease) ||
    ADDITIONS.indexOf(one.addition) - ADDITIONS.indexOf(other.addition) ||
    (one.kind === 'version' ? compareParts(one.parts, other.parts) : 0) ||
    (one.kind === 'version' ? one.numbers.length - other.numbers.length : 0)
  );
}

/**
 * Returns tags ordered by version, by the date and the other numbers in them, then by upload, then by their letters, the
 * newest first. Versions come before dates, dates before other numbers, and these before tags without numbers (`latest`).
 */
export function newestFirst<Dated extends DatedTag>(tags: readonly Dated[]): Dated[] {
  return order(tags, () => 0);
}

/**
 * Returns tags in the order in which a filter takes the newest of them. Releases come before pre-releases: versions,
 * pre-releases of versions, then dates, other numbers and tags without numbers, and then the builds among these.
 */
export function newestReleasesFirst<Dated extends DatedTag>(tags: readonly Dated[]): Dated[] {
  return order(tags, classOf);
}

function order<Dated extends DatedTag>(tags: readonly Dated[], rank: (age: TagAge) => number): Dated[] {
  const [dayOrder = 'day first'] = dayOrdersOf(tags);
  // Each tag is parsed once and not at every comparison: a run may order a hundred thousand.
  return tags
    .map((dated) => {
      const age = readTagAge(dated.tag, dayOrder);
      return { dated, age, rank: rank(age), uploaded: dated.uploaded?.getTime() ?? 0 };
    })
    .sort(
      (one, other) =>
        one.rank - other.rank ||
        compareAges(other.age, one.age) ||
        other.uploaded - one.uploaded ||
        compareTexts(one.dated.tag, other.dated.tag),
    )
    .map(({ dated }) => dated);
}

function classOf({ kind, isRelease }: TagAge): number {
  if (kind === 'version') return isRelease ? 0 : 1;
  return KINDS.length - KINDS.indexOf(kind) + (isRelease ? 0 : KINDS.length - 1);
}

/**
 * Returns whether the order of two neighbours in `tags` is certain: one is clearly newer, or they are of different classes.
 * It is not certain for `jammy` and `noble`, two commits, two flavours of a version, or `01-02-2024` and `02-01-2024` if no
 * other tag shows which number is the month.
 */
export function isOrderTold(
  one: DatedTag,
  other: DatedTag,
  tags: readonly DatedTag[] = [one, other],
): boolean {
  const readings = dayOrdersOf(tags).map((dayOrder) => {
    return { left: readTagAge(one.tag, dayOrder), right: readTagAge(other.tag, dayOrder) };
  });
  if (new Set(readings.map(({ left, right }) => compareAges(left, right))).size > 1) return false;
  return readings.every(({ left, right }) => isAgeTold(left, right) || isUploadTold(one, other));
}

function isAgeTold(left: TagAge, right: TagAge): boolean {
  if (classOf(left) !== classOf(right)) return true;
  if (left.kind === 'version') return isVersionOrderTold(left, right);
  const index = firstDifference(left.numbers, right.numbers);
  if (left.kind === 'date' && index < 3) return true;
  const isNumbered = compareNumbers(left.numbers, right.numbers) !== 0;
  const shared = Math.min(left.wordsBefore[index] ?? 0, right.wordsBefore[index] ?? 0);
  const isOfOneShape =
    left.wordsBefore[index] === right.wordsBefore[index] &&
    compareParts(left.parts.slice(0, shared), right.parts.slice(0, shared)) === 0;
  return isNumbered && (isOfOneShape || left.kind === 'date');
}

function isVersionOrderTold(one: TagAge, other: TagAge): boolean {
  const isSameRelease = compareNumbers(one.numbers, other.numbers) === 0 && one.isRelease;
  if (!isSameRelease || one.addition !== other.addition) return true;
  const index = firstDifference(one.parts, other.parts);
  const [left, right] = [one.parts[index], other.parts[index]];
  const isWord = (part: string | undefined): boolean => part !== undefined && !/^\d/.test(part);
  return !isWord(left) && !isWord(right);
}

function isUploadTold({ uploaded: one }: DatedTag, { uploaded: other }: DatedTag): boolean {
  return one !== undefined && other !== undefined && one.getTime() !== other.getTime();
}
