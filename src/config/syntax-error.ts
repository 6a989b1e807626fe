import { type ParseError, printParseErrorCode } from 'jsonc-parser';

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
  ['InvalidCommentToken', 'a comment where none can be'],
  ['UnexpectedEndOfComment', 'a comment that does not end; close it with */'],
  ['UnexpectedEndOfString', 'a text that does not end on its line; close it with "'],
  ['UnexpectedEndOfNumber', 'a number that does not end'],
  ['InvalidUnicode', 'a malformed \\u escape; it has four hexadecimal digits'],
  ['InvalidEscapeCharacter', 'an unknown escape; a backslash itself is written \\\\'],
  ['InvalidCharacter', 'a control character; write it as an escape such as \\t'],
]);

function describeSymbol(symbol: string): string {
  const quoted = symbol.replace(/^'(.*)'$/, '$1');
  return `expected a JSON value or a text in double quotes, found ${symbol.slice(0, 60)}${
    /^[\w./-]+$/.test(quoted) ? `; write "${quoted.slice(0, 60)}"` : ''
  }`;
}

/** Says what is wrong at a syntax error: what was expected, and what stands there instead. */
export function describeSyntaxError(error: ParseError, text: string): string {
  const code = printParseErrorCode(error.error);
  const found = text.slice(error.offset, error.offset + error.length);
  const expected = EXPECTED.get(code);
  if (expected !== undefined) {
    return `expected ${expected}, found ${found === '' ? 'the end of the file' : found.slice(0, 60)}`;
  }
  return BROKEN.get(code) ?? describeSymbol(found);
}
