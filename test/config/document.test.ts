import { describe, expect, test } from 'vitest';
import { type Document, type Path, parseDocument } from '../../src/config/document.ts';
import { formatPlace } from '../../src/config/problem.ts';

function problemsOf({ problems }: Document): readonly string[] {
  return problems.map(({ place, message }) => `${place.line}:${place.column} ${message}`);
}

test.each<[what: string, text: string, value: unknown]>([
  ['a list', '[1, "a", true, null]', [1, 'a', true, null]],
  ['an object', '{"a": {"b": [1]}}', { a: { b: [1] } }],
  ['comments and commas at the end', '// one\n{"a": [1, /* two */ 2,],}', { a: [1, 2] }],
  ['a byte order mark', '\uFEFF{"a": 1}', { a: 1 }],
  ['lines of Windows', '{\r\n"a": 1\r\n}\r\n', { a: 1 }],
  ['spaces that a web page put in', '{\u00a0"a":\u3000["b\u00a0c"]\u200b} // x\u00a0', { a: ['b\u00a0c'] }],
])('reads %s', (_what, text, value) => {
  const document = parseDocument('a.json', text);
  expect([document.value, document.problems]).toEqual([value, []]);
});

test('__proto__ is a key like any other', () => {
  const { value } = parseDocument('a.json', '{"__proto__": {"a": 1}}');
  expect(Object.keys(value ?? {})).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

describe('tells what is wrong', () => {
  test.each<[text: string, problems: readonly string[]]>([
    ['', ['1:1 expected a value, found the end of the file']],
    ['{"a": 1', ['1:8 expected "}", found the end of the file']],
    ['{"a" 1}', ['1:6 expected ":", found 1']],
    ['{"a": pause}', ['1:7 expected a JSON value or a text in double quotes, found pause; write "pause"']],
    ['{"a": 1,\n"b": 2,\n"a": 3}', ['3:1 "a" is written twice, first on line 1']],
    ['[{"a": 1, "a": 2}]', ['1:11 "a" is written twice, first on line 1']],
    // One fault a line: the parser stumbles on after it.
    ['{"a": x y z,\n"b": q}', ['1:7 ', '2:6 ']],
  ])('in %j', (text, problems) => {
    const found = problemsOf(parseDocument('a.json', text));
    expect(found).toEqual(problems.map((each) => expect.stringContaining(each)));
  });

  test.each([
    [
      'of empty objects',
      'the file has more than 500,000 values, brackets and commas',
      `[${'{},'.repeat(200_000)}{}]`,
      '1:500001',
    ],
    [
      'behind a comment',
      'the file has more than 500,000 values, brackets and commas',
      `// "\n[${'1,'.repeat(300_000)}1]`,
      '2:500001',
    ],
    ['of one text', 'the file is larger than 16 MiB', `["${'x'.repeat(17 * 1024 * 1024)}"]`, '1:1'],
  ])('in a file that is far too long, %s, before anything reads it', (_, message, text, place) => {
    expect(() => parseDocument('a.json', text)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED', about: `a.json:${place}`, message }),
    );
  });

  test('the first hundred, of which there are very many', () => {
    const { problems } = parseDocument('a.json', Array.from({ length: 5000 }, () => 'x y').join('\n'));
    expect(problems).toHaveLength(100);
    const twice = parseDocument('a.json', `{${'"a":1,\n'.repeat(5000)}"a":1}`);
    expect(twice.problems).toHaveLength(100);
  });

  test('in what is nested too deeply, before anything reads it', () => {
    expect(problemsOf(parseDocument('a.json', `${'['.repeat(50)}${']'.repeat(50)}`))).toEqual([]);
    expect(() => parseDocument('a.json', `\n${'['.repeat(100_000)}`)).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_MALFORMED',
        about: 'a.json:2:51',
        message: 'lists or objects are nested more than 50 levels deep',
      }),
    );
  });
});

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
  ['[“pause”]', 'found “pause”; it has “ (U+201C): write "pause"'],
  ['{“a”: 1}', '“a”'],
  ['{"a"：1}', 'it has ： (U+FF1A): write :'],
  ['[1，2]', 'it has ， (U+FF0C): write ,2'],
  [`[${'x'.repeat(100)}]`, `found ${'x'.repeat(60)}; write "${'x'.repeat(60)}"`],
])('%j: %s', (text, told) => {
  expect(parseDocument('a.json', text).problems[0]?.message).toContain(told);
});

describe('tells where a value stands', () => {
  const document = parseDocument('a.json', '{\r\n  "a": [1, {"b": 2}],\r"c": 3,\n  "c": 4\n}');

  test.each<[path: Path, value: string, key: string]>([
    [[], 'a.json:1:1', 'a.json:1:1'],
    [['a'], 'a.json:2:8', 'a.json:2:3'],
    [['a', 0], 'a.json:2:9', 'a.json:2:9'],
    [['a', 1, 'b'], 'a.json:2:18', 'a.json:2:13'],
    // The last one is the one that counts.
    [['c'], 'a.json:4:8', 'a.json:4:3'],
    // What is missing stands where its surroundings begin.
    [['a', 1, 'x'], 'a.json:2:12', 'a.json:2:12'],
    [['a', 7], 'a.json:2:8', 'a.json:2:8'],
    [['x', 'y'], 'a.json:1:1', 'a.json:1:1'],
    [['a', 'b'], 'a.json:2:8', 'a.json:2:8'],
  ])('%j', (path, value, key) => {
    expect([formatPlace(document.place(path)), formatPlace(document.keyPlace(path))]).toEqual([value, key]);
  });

  test('in an empty file', () => {
    expect(formatPlace(parseDocument('a.json', '').place(['a']))).toBe('a.json:1:1');
  });
});
