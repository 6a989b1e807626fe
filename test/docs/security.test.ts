import { globSync, readFileSync } from 'node:fs';
import { dirname, matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import configuration from '../../vitest.config.ts';

const PAGE = readFileSync('docs/security.md', 'utf8');
const ROWS = PAGE.slice(PAGE.indexOf('## Threats'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:Threat|-)/.test(line))
  .map((line) => line.slice(2, -1).split(' | '))
  .map(([threat = '', stopped = '', tests = '']) => ({ threat, stopped, tests: testsOf(tests) }));

interface NamedTest {
  readonly file: string;
  /** Empty where the whole file is meant. */
  readonly titles: readonly string[];
}

/** Reads `file`: title; title; `file`; … */
function testsOf(cell: string): NamedTest[] {
  return cell
    .split(/;? ?(?=`test\/)/)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [, file = '', titles = ''] = /^`([^`]+)`(?:: (.*))?$/.exec(part.trim()) ?? [];
      return { file, titles: titles.split('; ').filter((title) => title !== '') };
    });
}

test('there is a row for each threat, and each says what stops it', () => {
  expect(ROWS.length).toBeGreaterThan(25);
  for (const { threat, stopped } of ROWS) expect(stopped, threat).not.toBe('');
});

test.each(ROWS.map(({ threat, stopped, tests }) => [threat, stopped, tests] as const))(
  'the tests for "%s" exist and run',
  (_threat, stopped, tests) => {
    // Where nothing stops it there is nothing to test; everywhere else there is.
    expect(tests.length > 0).toBe(stopped !== 'none');
    for (const { file, titles } of tests) {
      const { include = [], exclude = [] } = configuration.test ?? {};
      expect(
        include.some((pattern) => matchesGlob(file, pattern)),
        file,
      ).toBe(true);
      expect(
        exclude.some((pattern) => matchesGlob(file, pattern)),
        file,
      ).toBe(false);
      const text = readFileSync(file, 'utf8');
      expect(text, file).toMatch(/\b(?:it|test)\b/);
      expect(text, file).not.toMatch(/\b(?:it|test|describe)\.(?:skip|todo|only|fails)\b/);
      // Tables of cases may have a file of their own beside the test.
      const beside = globSync(`${dirname(file)}/*.ts`).map((each) =>
        readFileSync(each, 'utf8').replaceAll("\\'", "'"),
      );
      for (const title of titles) {
        const isThere = [text.replaceAll("\\'", "'"), ...beside].some((each) =>
          ["'", '"', '`'].some((quote) => each.includes(`${quote}${title}${quote}`)),
        );
        expect(isThere, `${file}: ${title}`).toBe(true);
      }
    }
  },
);
