import { describe, expect, it, test } from 'vitest';
import { readYaml, UnusableYaml } from '../../src/lib/text/yaml-documents.ts';

function refusalOf(text: string): UnusableYaml {
  try {
    readYaml(text);
  } catch (error) {
    if (error instanceof UnusableYaml) return error;
    throw error;
  }
  throw new Error('it was read');
}

test('all documents of a text are read, and each offset has its line and column', () => {
  const text = 'a: 1\n---\nb:\n  - c\n';
  const { documents, positionOf } = readYaml(text);
  expect(documents.map((document) => document.toJSON())).toEqual([{ a: 1 }, { b: ['c'] }]);
  expect(positionOf(text.indexOf('c'))).toEqual({ line: 4, column: 5 });
});

test('what is no YAML is refused with its place', () => {
  expect(refusalOf('a: 1\nb: [1\n')).toMatchObject({
    message: expect.stringMatching(/^it is not YAML: /),
    position: { line: 3, column: 1 },
  });
});

describe('a text that is nested too deeply is refused before it is parsed', () => {
  const levels = Array.from({ length: 1000 }, (_, level) => level);
  it.each([
    ['brackets', '['.repeat(20_000)],
    ['braces', '{a: '.repeat(20_000)],
    ['points of lists', '- '.repeat(20_000)],
    ['keys of keys', '? '.repeat(20_000)],
    ['maps of maps', levels.map((level) => `${' '.repeat(level)}a:`).join('\n')],
    ['lists of maps', levels.map((level) => `${' '.repeat(level)}a:\n${' '.repeat(level)}- b:`).join('\n')],
  ])('%s', (_name, text) => {
    expect(refusalOf(text).message).toBe('its values are nested too deeply');
  });
});

test.each([
  [
    'as many values as no file has',
    'a, '.repeat(300_000),
    'it has more than 500,000 keys, values and separators',
  ],
  ['more text than any file has', `# ${'a'.repeat(4 * 1024 ** 2)}`, 'it is larger than 4 MiB'],
])('%s are refused', (_name, text, message) => {
  expect(refusalOf(`[${text}]`).message).toBe(message);
});

test.each([
  ['a long line of a list', `[${'a, '.repeat(1000)}b]`],
  ['a text with spaces before it', `a: |\n${' '.repeat(500)}b\n`],
  [
    'an object with many keys on a line',
    `{${Array.from({ length: 500 }, (_, at) => `a${at}: 1`).join(', ')}}`,
  ],
])('%s is read', (_name, text) => {
  expect(readYaml(text).documents).toHaveLength(1);
});
