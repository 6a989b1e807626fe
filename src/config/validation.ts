import { z } from 'zod';
import { Failure } from '../lib/failure.ts';
import { suggestion } from '../lib/text/nearest.ts';
import { joinWords } from '../lib/text/sentence.ts';
import type { Document, Path } from './document.ts';
import { ConfigurationFailure, type Problem } from './problem.ts';

const EXPECTED: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list [ … ]'],
  ['object', 'an object { … }'],
  ['record', 'an object { … }'],
]);

/** Says what a JSON value is, short enough for one line. */
function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function alternatives(values: readonly unknown[]): string {
  return joinWords(values.map(describeValue), 'or');
}

function count(limit: number | bigint, unit: string): string {
  return `${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`;
}

function bound(origin: string, word: string, limit: number | bigint, input: unknown): string {
  if (origin === 'array')
    return `expected ${word} ${count(limit, 'entry').replace('entrys', 'entries')}, found ${
      Array.isArray(input) ? input.length : describeValue(input)
    }`;
  if (origin === 'string')
    return `expected ${word} ${count(limit, 'character')}, found ${describeValue(input)}`;
  return `expected ${word} ${limit}, found ${describeValue(input)}`;
}

/** One line for one issue; an issue of several unknown keys gets a line for each. */
function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      return issue.keys
        .map((key) => {
          const near = suggestion(key, known);
          return `"${key}" is not a known key${near === '' ? `; known are ${alternatives(known)}` : near}`;
        })
        .join('\n');
    }
    case 'invalid_type': {
      const expected = EXPECTED.get(issue.expected) ?? issue.expected;
      return issue.input === undefined
        ? `expected ${expected}, found nothing`
        : `expected ${expected}, found ${describeValue(issue.input)}`;
    }
    case 'invalid_value': {
      const near =
        typeof issue.input === 'string'
          ? suggestion(
              issue.input,
              issue.values.filter((value) => typeof value === 'string'),
            )
          : '';
      return `expected ${alternatives(issue.values)}, found ${describeValue(issue.input)}${near}`;
    }
    case 'too_small':
      return bound(
        issue.origin,
        issue.inclusive === false ? 'more than' : 'at least',
        issue.minimum,
        issue.input,
      );
    case 'too_big':
      return bound(
        issue.origin,
        issue.inclusive === false ? 'less than' : 'at most',
        issue.maximum,
        issue.input,
      );
    case 'invalid_union':
      return `no form that is allowed here fits ${describeValue(issue.input)}`;
    default:
      return undefined;
  }
}

/** A union says only "invalid"; the form that got furthest knows what is wrong. */
function flatten(issue: z.core.$ZodIssue, base: Path): { issue: z.core.$ZodIssue; path: Path }[] {
  const path = [...base, ...issue.path];
  if (issue.code !== 'invalid_union') return [{ issue, path }];
  const depths = issue.errors.map((form) => Math.max(0, ...form.map((inner) => inner.path.length)));
  const deepest = issue.errors[depths.indexOf(Math.max(...depths))] ?? [];
  if (Math.max(0, ...depths) > 0) return deepest.flatMap((inner) => flatten(inner, path));
  const wanted = issue.errors.flat().map((inner) => /^expected (.*), found /.exec(inner.message)?.[1]);
  const found = /, found .*$/.exec(issue.errors[0]?.[0]?.message ?? '')?.[0];
  if (found === undefined || wanted.includes(undefined)) return [{ issue, path }];
  return [{ issue: { ...issue, message: `expected ${[...new Set(wanted)].join(' or ')}${found}` }, path }];
}

function problemsOf(document: Document, error: z.ZodError): Problem[] {
  return error.issues
    .flatMap((issue) => flatten(issue, []))
    .flatMap(({ issue, path }): Problem[] => {
      if (issue.code === 'unrecognized_keys') {
        const lines = issue.message.split('\n');
        return issue.keys.map((key, index) => ({
          place: document.keyPlace([...path, key]),
          message: lines[index] ?? `"${key}" is not a known key`,
        }));
      }
      const missing = issue.code === 'invalid_type' && issue.message.endsWith(', found nothing');
      const message =
        missing && path.length > 0
          ? `"${String(path.at(-1))}" is missing: ${issue.message.replace(', found nothing', '')}`
          : issue.message;
      return [{ place: document.place(path), message }];
    });
}

/**
 * Returns the value of a document in the shape of a schema. Throws `ConfigurationFailure` with every problem at once,
 * each at its line and column; after a syntax error, what it may have caused itself is left out.
 */
export function validate<Schema extends z.ZodType>(document: Document, schema: Schema): z.output<Schema> {
  const broken = document.problems.length > 0;
  const result = schema.safeParse(document.value, { error: describeIssue });
  if (result.success && !broken) return result.data;
  const found =
    result.success || (broken && document.value === undefined) ? [] : problemsOf(document, result.error);
  const lines = new Set(document.problems.map((problem) => problem.place.line));
  const credible = broken
    ? found.filter(({ place, message }) => !lines.has(place.line) && !message.includes(' is missing: '))
    : found;
  throw new ConfigurationFailure(document.file, [...document.problems, ...credible]);
}

/**
 * Returns a schema for texts with a grammar of their own: `read` gives the value or throws a `Failure`, whose message
 * and hint become the problem at the text's place.
 */
export function textOf<Value>(read: (text: string) => Value): z.ZodType<Value, string> {
  return z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const hint = error.hint === undefined ? '' : ` (${error.hint})`;
      context.addIssue({ code: 'custom', message: `${error.message}${hint}` });
      return z.NEVER;
    }
  });
}
