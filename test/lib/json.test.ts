import { expect, it } from 'vitest';
import { isNestedDeeper, parseJson } from '../../src/lib/json.ts';

it.each([
  ['{"a":[1]}', 2, false],
  ['{"a":[1]}', 1, true],
  ['["[[[[", "\\"[[[["]', 1, false],
  ['[],[],[]', 1, false],
  [`${'['.repeat(101)}`, 100, true],
  ['', 0, false],
])('%s stands deeper than %i: %s', (json, limit, expected) => {
  expect(isNestedDeeper(Buffer.from(json), limit)).toBe(expected);
});

it.each([
  ['{"a": [1]}', { a: [1] }],
  ['null', null],
  ['\uFEFF[1]', [1]],
  ['<html>', undefined],
  ['', undefined],
])('%s is read as %j', (text, value) => {
  expect(parseJson(text)).toEqual(value);
  expect(parseJson(Buffer.from(text))).toEqual(value);
});
