import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { literalsBelow } from '../support/source-literals.ts';

const [PAGE = '', INSTALLING = ''] = readFileSync('docs/troubleshooting.md', 'utf8').split(
  '\n## Installing a package\n',
);
const SOURCES = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'));

interface Row {
  readonly line: number;
  readonly messages: readonly string[];
  readonly codes: readonly string[];
}

/** Returns the rows of the tables of a page: the messages that the first cell quotes, and the codes in the second. */
function rowsOf(page: string): readonly Row[] {
  return page.split('\n').flatMap((text, index) => {
    const [, first = '', second = ''] = text.startsWith('| ') ? text.split('|') : [];
    if (first === '' || first.trim() === 'Message') return [];
    return [{ line: index + 1, messages: quotedIn(first), codes: quotedIn(second) }];
  });
}

function quotedIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, quoted = '']) => quoted);
}

/** The codes of failures: what is written as one, and the unions that classes of failures take. */
function codesOfSources(): Set<string> {
  const written = SOURCES.flatMap((text) => [...text.matchAll(/\bcode: '([A-Z_]+)'/g)]);
  const unions = SOURCES.flatMap((text) => [
    ...text.matchAll(/type \w+(?:FailureCode|RefusalCode) =([^;]+);/g),
  ]).flatMap(([, union = '']) => [...union.matchAll(/'([A-Z_]+)'/g)]);
  return new Set([...written, ...unions].map(([, code = '']) => code));
}

test('every code that can be printed has its row, and no other', () => {
  const explained = rowsOf(PAGE).flatMap(({ codes }) => codes);
  expect([...new Set(explained)].sort()).toEqual([...codesOfSources()].sort());
});

test('every row quotes a message, so that it is found by searching for it', () => {
  const rows = rowsOf(PAGE);
  expect(rows.length).toBeGreaterThan(150);
  expect(rows.filter(({ messages }) => messages.length === 0)).toEqual([]);
});

test('every message that is quoted is one that the tools print', () => {
  // A text of the code, what a test expects of texts that are put together, or the part of the tools that is a shell script.
  const texts = [
    ...literalsBelow('src').map(({ text }) => text),
    ...globSync('test/{action-*,packer,publish,synctl,cli}/**/*.test.ts').map((file) =>
      readFileSync(file, 'utf8'),
    ),
    readFileSync('scripts/cli-preamble.sh', 'utf8'),
  ];
  const unknown = rowsOf(PAGE).flatMap(({ line, messages }) =>
    messages
      .filter((message) => !texts.some((text) => text.includes(message)))
      .map((message) => `${line}: ${message}`),
  );
  expect(unknown).toEqual([]);
});

test('every message that is quoted is expected by a test, which produces it', () => {
  const [ours = ''] = INSTALLING.split('\n### ');
  const quoted = [PAGE, ours].flatMap(rowsOf).flatMap(({ messages }) => messages);
  expect(quoted.length).toBeGreaterThan(250);
  const tests = globSync('test/**/*.{ts,txt}', { exclude: ['test/docs/**'] })
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
    // Texts that are joined, and characters that a regular expression or a string escapes.
    .replaceAll(/['"`]\s*\+\s*['"`]/g, '')
    .replaceAll(/\\(.)/g, '$1');
  expect(quoted.filter((message) => !tests.includes(message))).toEqual([]);
});

test('every message of install.sh that is quoted is one that it prints', () => {
  const [ours = ''] = INSTALLING.split('\n### ');
  const quoted = rowsOf(ours).flatMap(({ messages }) => messages);
  expect(quoted.length).toBeGreaterThan(2);
  const all = globSync('package/**/*.sh')
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  expect(quoted.filter((text) => !all.includes(text))).toEqual([]);
});
