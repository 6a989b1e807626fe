import { type ParseError, parseTree } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { describeSyntaxError } from '../../src/config/syntax-error.ts';

/** Returns what is said of the first thing that is wrong with a text. */
function firstOf(text: string): string {
  const errors: ParseError[] = [];
  parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error === undefined) throw new Error('there is nothing wrong with it');
  return describeSyntaxError(error, text);
}

test.each([
  ['', 'expected a value, found the end of the file'],
  ['{"a": }', 'expected a value, found }'],
  ['{"a"; 1}', 'expected a JSON value or a text in double quotes, found ;'],
  ['{"a", 1}', 'expected ":", found ,'],
  ['[1 2]', 'expected ",", found 2'],
  ['{"a": 1', 'expected "}", found the end of the file'],
  ['[1', 'expected "]", found the end of the file'],
  ['{} {}', 'expected the end of the file, found {'],
  ['{1: 2}', 'expected a key in double quotes, found 1'],
  ['["a]', 'a text that does not end on its line; close it with "'],
  ['["\\x"]', 'an unknown escape; a backslash itself is written \\\\'],
  ['["\\u12"]', 'a malformed \\u escape; it has four hexadecimal digits'],
  ['["\u0001"]', 'a control character; write it as an escape such as \\t'],
  ['[1.]', 'a number that does not end'],
  ['[/* 1', 'a comment that does not end; close it with */'],
  ['[pause]', 'expected a JSON value or a text in double quotes, found pause; write "pause"'],
  ["['pause']", `expected a JSON value or a text in double quotes, found 'pause'; write "pause"`],
  ['[«pause»]', 'expected a JSON value or a text in double quotes, found «pause»'],
  [`[${'x'.repeat(100)}]`, `found ${'x'.repeat(60)}; write "${'x'.repeat(60)}"`],
])('%j: %s', (text, told) => {
  expect(firstOf(text)).toContain(told);
});
