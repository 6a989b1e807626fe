import { globSync, readFileSync } from 'node:fs';
import { dirname, matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import configuration from '../../vitest.config.ts';
import { THREATS } from './threats.ts';

const PAGE = readFileSync('docs/security.md', 'utf8');
const ROWS = PAGE.slice(PAGE.indexOf('## Threats'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:Threat|-)/.test(line))
  .map((line) => line.slice(2, -2).split(' | '))
  .map(([threat = '', stopped = '']) => ({ threat, stopped }));

test('there is a row for each threat, and each says what stops it', () => {
  expect(ROWS.length).toBeGreaterThan(25);
  for (const { threat, stopped } of ROWS) expect(stopped, threat).not.toBe('');
});

test('each row has its tests, and no tests are left without a row', () => {
  expect(Object.keys(THREATS).toSorted()).toEqual(ROWS.map(({ threat }) => threat).toSorted());
});

test.each(ROWS.map(({ threat, stopped }) => [threat, stopped] as const))(
  'the tests for "%s" exist and run',
  (threat, stopped) => {
    const tests = THREATS[threat] ?? [];
    // Where nothing stops it there is nothing to test; everywhere else there is.
    expect(tests.length > 0).toBe(stopped !== 'none');
    for (const [file, titles] of tests) {
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
      // Tables of cases may have a file of their own next to the test.
      const near = globSync(`${dirname(file)}/*.ts`).map((each) =>
        readFileSync(each, 'utf8').replaceAll("\\'", "'"),
      );
      for (const title of titles) {
        const isThere = [text.replaceAll("\\'", "'"), ...near].some((each) =>
          ["'", '"', '`'].some((quote) => each.includes(`${quote}${title}${quote}`)),
        );
        expect(isThere, `${file}: ${title}`).toBe(true);
      }
    }
  },
);
