import { RE2JS, RE2JSException } from 're2js';
import { Range } from 'semver';
import { z } from 'zod';
import { Failure } from '../lib/failure.ts';
import { textOf } from './validation.ts';

/** Which tags of a repository are wanted. Each filter that is there must let a tag pass; `latest` counts last. */
export interface TagFilter {
  /** The versions that are wanted, as npm writes ranges. What is no version does not pass. */
  readonly semver?: Range | undefined;
  /** How many of the newest are wanted. */
  readonly latest?: number | undefined;
  /** The day of upload from which on tags are wanted. A tag whose upload time is not known passes. */
  readonly since?: Date | undefined;
  /** What must be found somewhere in the tag; `^` and `$` stand for its ends. */
  readonly regex?: TagPattern | undefined;
}

/** A regular expression that answers in a time linear in the length of the tag, whatever it says. */
interface TagPattern {
  readonly source: string;
  test(tag: string): boolean;
}

function readRange(text: string): Range {
  try {
    if (text.trim() === '') throw new TypeError('an empty range');
    // Go's tools separate the parts of a range with commas.
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
  // JavaScript takes 30 February for 1 March.
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

/** The form of `tags`, in a set and in a patch. */
export const tagFilterSchema = z.strictObject({
  semver: textOf(readRange).optional(),
  latest: z.int().min(1).optional(),
  since: textOf(readDate).optional(),
  regex: textOf(readPattern).optional(),
});
