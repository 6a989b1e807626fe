import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const PAGE = readFileSync('docs/troubleshooting.md', 'utf8');
const SOURCES = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'));
const ROWS = PAGE.split('\n').flatMap((line) => {
  const [, message, codes] = /^\| (.*?) \| (.*?) \|/.exec(line) ?? [];
  return message === undefined || codes === undefined || /^(?:Message|-+)$/.test(message)
    ? []
    : [{ message, codes }];
});

/** The codes of failures: what is written as one, and the unions that classes of failures take. */
function codesOfSources(): Set<string> {
  const written = SOURCES.flatMap((text) => [...text.matchAll(/\bcode: '([A-Z_]+)'/g)]);
  const unions = SOURCES.flatMap((text) => [
    ...text.matchAll(/type \w+(?:FailureCode|RefusalCode) =([^;]+);/g),
  ]).flatMap(([, union = '']) => [...union.matchAll(/'([A-Z_]+)'/g)]);
  return new Set([...written, ...unions].map(([, code = '']) => code));
}

test('every code of a failure is explained, and none that does not exist', () => {
  const explained = ROWS.flatMap(({ codes }) =>
    [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => code),
  );
  expect([...new Set(explained)].sort()).toEqual([...codesOfSources()].sort());
});

test('every message that is quoted is one that the code can tell', () => {
  const quoted = ROWS.flatMap(({ message }) =>
    [...message.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
  );
  const known = quoted.filter((text) => !/^(?:\w+\.json|--.*)$/.test(text));
  expect(known.length).toBeGreaterThan(60);
  // A template may stand where the message has a value, and quotes may be escaped.
  const all = SOURCES.join('\n').replaceAll("\\'", "'");
  expect(known.filter((text) => !all.includes(text))).toEqual([]);
});
