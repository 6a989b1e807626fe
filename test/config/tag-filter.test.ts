import { describe, expect, test } from 'vitest';
import { tagFilterSchema } from '../../src/config/tag-filter.ts';

test.each<[text: string, tag: string, is: boolean]>([
  ['>=1.9, <2', '1.10.0', true],
  ['>=1.9, <2', '2.0.0', false],
  ['~1.36.2', '1.36.9', true],
  ['>=1.9 <2 || 3.x', '3.1.0', true],
])('the versions %j hold %s: %s', (text, version, is) => {
  expect(tagFilterSchema.parse({ semver: text }).semver?.test(version)).toBe(is);
});

test.each<[text: string, tag: string, is: boolean]>([
  ['^v1\\.', 'v1.2', true],
  ['^v1\\.', 'xv1.2', false],
  ['debian', '1.2-debian-13', true],
  ['(a+)+$', `${'a'.repeat(10_000)}!`, false],
])('the expression %s is found in a tag: %#', (text, tag, is) => {
  const { regex } = tagFilterSchema.parse({ regex: text });
  expect([regex?.source, regex?.test(tag)]).toEqual([text, is]);
});

test.each([
  ['2026-03-31', '2026-03-31T00:00:00.000Z'],
  ['2026-03-31T08:00Z', '2026-03-31T08:00:00.000Z'],
  ['2026-03-31T08:00:00.5+02:00', '2026-03-31T06:00:00.500Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
])('%s is a day', (text, time) => {
  expect(tagFilterSchema.parse({ since: text }).since?.toISOString()).toBe(time);
});

describe('a filter is refused', () => {
  test.each<[filter: object, message: string]>([
    [{ semver: '' }, 'expected a range of versions, found ""'],
    [{ semver: 'newest' }, 'expected a range of versions, found "newest"'],
    [{ regex: '(' }, 'expected a regular expression, found "("'],
    [{ regex: '(?=a)' }, 'expected a regular expression, found "(?=a)"'],
    [{ regex: '(a)\\1' }, 'expected a regular expression, found "(a)\\\\1"'],
    [{ since: '2026-02-30' }, 'expected a day, found "2026-02-30"'],
    [{ since: '2023-02-29' }, 'expected a day, found "2023-02-29"'],
    [{ since: '31.3.2026' }, 'expected a day, found "31.3.2026"'],
    [{ since: '2026-03-31T08:00:00' }, 'expected a day, found "2026-03-31T08:00:00"'],
    [{ since: 'yesterday' }, 'expected a day, found "yesterday"'],
    [{ latest: 0 }, ''],
    [{ latest: 1.5 }, ''],
    [{ newest: 3 }, ''],
  ])('%j', (filter, message) => {
    const { error } = tagFilterSchema.safeParse(filter);
    expect(error?.issues.map((issue) => issue.message).join()).toContain(message);
  });
});
