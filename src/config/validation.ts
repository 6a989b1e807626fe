import { z } from 'zod';
import { Failure } from '../lib/failure.ts';
import { hasLogin, withoutSecrets } from '../lib/text/hidden-secrets.ts';
import { adviseOnLookAlikes } from '../lib/text/look-alike.ts';
import { suggestion } from '../lib/text/nearest.ts';
import { countOf, joinWords } from '../lib/text/sentence.ts';
import type { Document, Path } from './document.ts';
import { ConfigurationFailure, PROBLEMS_TOLD, type Problem } from './problem.ts';

const EXPECTED: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list [ … ]'],
  ['object', 'an object { … }'],
  ['record', 'an object { … }'],
]);

/** Returns a JSON value in words, on one line. */
function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = withoutSecrets(JSON.stringify(value) ?? 'nothing');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** An issue of zod, raw or finished. */
type Issue = z.core.$ZodRawIssue | z.core.$ZodIssue;

function alternatives(values: readonly unknown[]): string {
  return joinWords(values.map(describeValue), 'or');
}

function bound(origin: string, word: string, limit: number | bigint): string {
  if (origin === 'array') return `${word} ${countOf(Number(limit), 'entry', 'entries')}`;
  if (origin === 'string') return `${word} ${countOf(Number(limit), 'character')}`;
  return `${word} ${limit}`;
}

/** Returns what an issue expected, such as `a text`. Undefined for other kinds of issues. */
function expectation(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return EXPECTED.get(issue.expected) ?? issue.expected;
    case 'invalid_value':
      return alternatives(issue.values);
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    default:
      return undefined;
  }
}

/** Returns what an issue found, and a suggestion if it is a mistyped word. */
function finding(issue: Issue): string {
  const { input } = issue;
  const found = describeValue(input);
  switch (issue.code) {
    case 'too_small':
    case 'too_big':
      return Array.isArray(input) ? String(input.length) : found;
    case 'invalid_value': {
      const words = issue.values.filter((value) => typeof value === 'string');
      return typeof input === 'string' ? `${found}${suggestion(input, words)}` : found;
    }
    default:
      return found;
  }
}

function describeIssue(issue: Issue): string | undefined {
  if (issue.code === 'invalid_union')
    return `found ${describeValue(issue.input)}, which has none of the allowed forms`;
  const expected = expectation(issue);
  return expected === undefined ? undefined : `expected ${expected}, found ${finding(issue)}`;
}

/** An issue with its whole path and its message. */
interface FoundIssue {
  readonly issue: z.core.$ZodIssue;
  readonly path: Path;
  readonly message: string;
}

/** The issue of a union is only "invalid". The alternative that matched furthest has the useful issue. */
function flatten(issue: z.core.$ZodIssue, base: Path): FoundIssue[] {
  const path = [...base, ...issue.path];
  const { message } = issue;
  if (issue.code !== 'invalid_union') return [{ issue, path, message }];
  const depths = issue.errors.map((form) => Math.max(0, ...form.map((inner) => inner.path.length)));
  const deepest = issue.errors[depths.indexOf(Math.max(...depths))] ?? [];
  if (Math.max(0, ...depths) > 0) return deepest.flatMap((inner) => flatten(inner, path));
  const [first] = issue.errors.flat();
  const wanted = issue.errors.flat().map(expectation);
  if (first === undefined || wanted.includes(undefined)) return [{ issue, path, message }];
  return [{ issue, path, message: `expected ${[...new Set(wanted)].join(' or ')}, found ${finding(first)}` }];
}

/** A problem, and whether it is a missing key. */
interface FoundProblem extends Problem {
  readonly isMissing: boolean;
}

function problemsOf(document: Document, error: z.ZodError, knownKeys: KnownKeys): FoundProblem[] {
  return error.issues
    .slice(0, PROBLEMS_TOLD)
    .flatMap((issue) => flatten(issue, []))
    .flatMap(({ issue, path, message }): FoundProblem[] => {
      if (issue.code === 'unrecognized_keys') {
        const known = knownKeys.get(issue.keys) ?? [];
        return issue.keys.slice(0, PROBLEMS_TOLD).map((key) => {
          const shown = withoutSecrets(key).slice(0, 200);
          const near =
            suggestion(shown, known) || (known.length === 0 ? '' : `; known keys are ${alternatives(known)}`);
          const place = document.keyPlace([...path, key]);
          return { place, message: `"${shown}" is not a known key${near}`, isMissing: false };
        });
      }
      const isMissing = issue.code === 'invalid_type' && issue.input === undefined && path.length > 0;
      const missing = `"${String(path.at(-1))}" is missing: expected ${expectation(issue)}`;
      return [{ place: document.place(path), message: isMissing ? missing : message, isMissing }];
    });
}

/**
 * The known keys of an object by the list of its unknown keys in an issue: a finished issue no longer has its schema.
 */
type KnownKeys = WeakMap<readonly string[], readonly string[]>;

/**
 * Returns the value of a document, validated by a schema. Throws `ConfigurationFailure` with all problems, each with
 * its line and column. Problems that a syntax error may have caused are left out.
 */
export function validate<Schema extends z.ZodType>(document: Document, schema: Schema): z.output<Schema> {
  const broken = document.problems.length > 0;
  const knownKeys: KnownKeys = new WeakMap();
  const result = schema.safeParse(document.value, {
    reportInput: true,
    error: (issue) => {
      const isOfObject = issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject;
      if (isOfObject) knownKeys.set(issue.keys, Object.keys(issue.inst.shape));
      return describeIssue(issue);
    },
  });
  if (result.success && !broken) return result.data;
  const isEmpty = broken && document.value === undefined;
  const found = result.success || isEmpty ? [] : problemsOf(document, result.error, knownKeys);
  const lines = new Set(document.problems.map((problem) => problem.place.line));
  const credible = found
    .filter(({ place, isMissing }) => !broken || !(lines.has(place.line) || isMissing))
    .map(({ place, message }): Problem => ({ place, message }));
  throw new ConfigurationFailure(document.file, [...document.problems, ...credible]);
}

const LOGIN_IN_TEXT =
  'it contains a user name and a password, which are not read from there (remove them, and log in with docker login)';

function describeRefusal(text: string, { message, hint }: Failure): string {
  // A message quotes the beginning of a long text, in which a login has no end.
  if (hasLogin(text) && message.includes('"')) return LOGIN_IN_TEXT;
  const advice = adviseOnLookAlikes(text) ?? hint;
  return advice === undefined ? message : `${message} (${advice})`;
}

/**
 * Returns a schema for texts with a grammar of their own. `read` returns the value, or throws a `Failure` whose
 * message and hint become the problem at the text's place.
 */
export function textOf<Value>(read: (text: string) => Value): z.ZodType<Value, string> {
  return z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      context.addIssue({
        code: 'custom',
        message: describeRefusal(text, error),
      });
      return z.NEVER;
    }
  });
}
