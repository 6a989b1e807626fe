import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Place } from '../lib/reporter.ts';
import { withoutSecrets } from '../lib/text/hidden-secrets.ts';
import { adviseOnLookAlikes, withPlainSpaces } from '../lib/text/look-alike.ts';
import { formatCount } from '../lib/text/sentence.ts';
import { ConfigurationFailure, PROBLEMS_TOLD, type Problem } from './problem.ts';

/** The path to a value in a document: keys of objects and indexes of lists. */
export type Path = readonly PropertyKey[];

/** A value in a file, and its place there. */
export interface Entry<Value> {
  readonly value: Value;
  readonly place: Place;
}

/** A JSON text with the place of each value. Comments and trailing commas are allowed. */
export interface Document {
  readonly file: string;
  /** The value of the text, or undefined if it has none. */
  readonly value: unknown;
  /** Syntax errors and repeated keys. Despite them, `value` has as much as could be read. */
  readonly problems: readonly Problem[];
  /** Returns where the value at a path starts. If there is none, returns where the innermost value around it starts. */
  place(path: Path): Place;
  /** Returns where the last key of a path starts; for an index, where its value starts. */
  keyPlace(path: Path): Place;
}

/** Our files are four levels deep. */
const DEPTH_LIMIT = 50;
/** Brackets, commas and values. The longest image sets have some thousand names. */
const TOKENS_LIMIT = 500_000;
const LENGTH_LIMIT = 16 * 1024 * 1024;

function keyOf(property: Node): string {
  return String(property.children?.[0]?.value);
}

function children(node: Node): readonly Node[] {
  return node.children ?? [];
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length);
  return starts;
}

/** Returns the index of the last line that starts at or before an offset. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Why a text is too large or too deep to be read, and the offset where it becomes so. */
interface Excess {
  readonly offset: number;
  readonly message: string;
}

/** Returns where a text becomes too large, or is nested too deeply for recursive functions; undefined if nowhere. */
function excessOf(text: string): Excess | undefined {
  if (text.length > LENGTH_LIMIT) return { offset: 0, message: 'the file is larger than 16 MiB' };
  const scanner = createScanner(text, true);
  let depth = 0;
  let tokens = 0;
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    tokens += 1;
    if (tokens > TOKENS_LIMIT) {
      const message = `the file has more than ${formatCount(TOKENS_LIMIT)} values, brackets and commas`;
      return { offset: scanner.getTokenOffset(), message };
    }
    const first = text.charAt(scanner.getTokenOffset());
    if (first === '{' || first === '[') depth += 1;
    if (first === '}' || first === ']') depth -= 1;
    if (depth > DEPTH_LIMIT) {
      const message = `lists or objects are nested more than ${DEPTH_LIMIT} levels deep`;
      return { offset: scanner.getTokenOffset(), message };
    }
  }
  return undefined;
}

/** Returns the last property of that name: if a key is repeated, readers of JSON use the last one. */
function property(node: Node, key: PropertyKey): Node | undefined {
  if (node.type !== 'object') return undefined;
  return children(node).findLast((candidate) => keyOf(candidate) === key);
}

function step(node: Node, key: PropertyKey): Node | undefined {
  if (node.type === 'array' && typeof key === 'number') return node.children?.[key];
  return property(node, key)?.children?.[1];
}

/** Returns the value of a node. `__proto__` is a key like any other here, so it is reported as unknown. */
function plainValue(node: Node | undefined): unknown {
  if (node?.type === 'array') return children(node).map(plainValue);
  if (node?.type === 'object') {
    const entries = children(node).filter((candidate) => candidate.children?.[1] !== undefined);
    return Object.fromEntries(
      entries.map((entry): [string, unknown] => [keyOf(entry), plainValue(entry.children?.[1])]),
    );
  }
  return node?.value;
}

function* repeatedKeys(node: Node | undefined): Generator<{ key: string; first: number; again: number }> {
  const seen = new Map<string, number>();
  for (const child of node?.children ?? []) {
    if (child.type === 'property') {
      const first = seen.get(keyOf(child));
      if (first !== undefined) yield { key: keyOf(child), first, again: child.offset };
      else seen.set(keyOf(child), child.offset);
      yield* repeatedKeys(child.children?.[1]);
    } else {
      yield* repeatedKeys(child);
    }
  }
}

const EXPECTED: ReadonlyMap<string, string> = new Map([
  ['PropertyNameExpected', 'a key in double quotes'],
  ['ValueExpected', 'a value'],
  ['ColonExpected', '":"'],
  ['CommaExpected', '","'],
  ['CloseBraceExpected', '"}"'],
  ['CloseBracketExpected', '"]"'],
  ['EndOfFileExpected', 'the end of the file'],
]);

const BROKEN: ReadonlyMap<string, string> = new Map([
  ['InvalidNumberFormat', 'a malformed number'],
  ['InvalidCommentToken', 'a comment where none is allowed'],
  ['UnexpectedEndOfComment', 'a comment that does not end; close it with */'],
  ['UnexpectedEndOfString', 'a text that does not end on its line; close it with "'],
  ['UnexpectedEndOfNumber', 'a number that does not end'],
  ['InvalidUnicode', 'a malformed \\u escape; it has four hexadecimal digits'],
  ['InvalidEscapeCharacter', 'an unknown escape; a backslash itself is written \\\\'],
  ['InvalidCharacter', 'a control character; write it as an escape such as \\t'],
]);

function describeSymbol(symbol: string): string {
  const advice = adviseOnLookAlikes(symbol);
  const head = `expected a JSON value or a text in double quotes, found ${symbol.slice(0, 60)}`;
  if (advice !== undefined) return `${head}; ${advice}`;
  const quoted = symbol.replace(/^'(.*)'$/, '$1');
  return `${head}${/^[\w./-]+$/.test(quoted) ? `; write "${quoted.slice(0, 60)}"` : ''}`;
}

/** Returns a syntax error in words: what was expected, and what was found. */
function describeSyntaxError(error: ParseError, text: string): string {
  const code = printParseErrorCode(error.error);
  const found = withoutSecrets(text.slice(error.offset, error.offset + error.length));
  const expected = EXPECTED.get(code);
  if (expected !== undefined) {
    const advice = adviseOnLookAlikes(found);
    const meant = advice === undefined ? '' : `; ${advice}`;
    return `expected ${expected}, found ${found === '' ? 'the end of the file' : found.slice(0, 60)}${meant}`;
  }
  return BROKEN.get(code) ?? describeSymbol(found);
}

/** Returns a text with plain spaces in place of the unusual ones between values. All places stay the same. */
function withPlainSpacesOutside(text: string): string {
  if (withPlainSpaces(text) === text) return text;
  const scanner = createScanner(text, false);
  let plain = '';
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    const token = text.substr(scanner.getTokenOffset(), scanner.getTokenLength());
    plain += token.startsWith('"') ? token : withPlainSpaces(token);
  }
  return plain;
}

/**
 * Returns a JSON text as a document. Syntax errors are in its `problems`. Throws only if it is far too deep or too
 * large.
 */
export function parseDocument(file: string, source: string): Document {
  // Windows editors start files with a byte order mark, which is not part of JSON.
  const text = withPlainSpacesOutside(source.replace(/^\uFEFF/, '').slice(0, LENGTH_LIMIT + 1));
  const starts = lineStarts(text);
  const at = (offset: number): Place => {
    const line = lineOf(starts, offset);
    return { file, line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
  const excess = excessOf(text);
  if (excess !== undefined) {
    throw new ConfigurationFailure(file, [{ place: at(excess.offset), message: excess.message }]);
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const problems: Problem[] = [];
  for (const error of errors) {
    const place = at(error.offset);
    // Further errors that the parser reports on the same line only confuse.
    if (problems.at(-1)?.place.line === place.line) continue;
    problems.push({ place, message: describeSyntaxError(error, text) });
    if (problems.length === PROBLEMS_TOLD) break;
  }
  for (const { key, first, again } of repeatedKeys(root)) {
    problems.push({
      place: at(again),
      message: `"${withoutSecrets(key).slice(0, 200)}" is written twice, first on line ${at(first).line}`,
    });
    if (problems.length >= PROBLEMS_TOLD) break;
  }
  const follow = (path: Path): Node | undefined => {
    let node = root;
    for (const key of path) {
      const next = node === undefined ? undefined : step(node, key);
      if (next === undefined) return node;
      node = next;
    }
    return node;
  };
  return {
    file,
    value: plainValue(root),
    problems,
    place: (path) => at(follow(path)?.offset ?? 0),
    keyPlace: (path) => {
      const parent = follow(path.slice(0, -1));
      const key = path.at(-1);
      const found = parent === undefined || key === undefined ? undefined : property(parent, key);
      return at((found ?? follow(path))?.offset ?? 0);
    },
  };
}
