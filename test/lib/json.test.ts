import { expect, it } from 'vitest';
import { parseJson, readJson, UnreasonableJson } from '../../src/lib/json.ts';

it.each([
  ['lists', '['.repeat(101) + ']'.repeat(101)],
  ['objects', `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`],
  ['what is cut off', '['.repeat(101)],
])('%s are not read where they stand within each other more than 100 times', (_, json) => {
  expect(() => readJson(json)).toThrow(UnreasonableJson);
  expect(parseJson(Buffer.from(json))).toBeUndefined();
});

it.each([
  ['lists within each other', '['.repeat(100) + ']'.repeat(100)],
  ['brackets in a text', JSON.stringify(`${'[{'.repeat(1000)}"\\"`)],
  ['lists beside each other', `[${'[],'.repeat(101)}[]]`],
])('reads %s as JSON.parse does', (_, json) => {
  expect(readJson(json)).toEqual(JSON.parse(json));
});

const list = (item: string): string => `[${`${item},`.repeat(1_000_000)}${item}]`;
const numbered = (text: (name: string) => string): string =>
  Array.from({ length: 400_000 }, (_, at) => text(at.toString(36))).join(',');

it.each([
  ['empty objects', list('{}')],
  ['empty lists', list('[]')],
  ['numbers', list('1')],
  ['empty texts', list('""')],
  ['objects of one member', list('{"a":1}')],
  ['members', `{${numbered((name) => `"${name}":1`)}}`],
  ['members deep within', `{"a":[{"annotations":{${numbered((name) => `"${name}":""`)}}}]}`],
  ['objects, each of another shape', `[${numbered((name) => `{"${name}":1}`)}]`],
])('nothing but %s is refused before it is made', (_, json) => {
  expect(() => readJson(json)).toThrow('it has far too many values for its length');
});

it.each([
  ['{"a": [1]}', { a: [1] }],
  ['null', null],
  ['\uFEFF[1]', [1]],
  ['<html>', undefined],
  ['[1],[2]', undefined],
  ['[1]]', undefined],
  ['', undefined],
])('%s is read as %j', (text, value) => {
  expect(parseJson(text)).toEqual(value);
  expect(parseJson(Buffer.from(text))).toEqual(value);
});
