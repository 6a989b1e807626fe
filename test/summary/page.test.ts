import { expect, test } from 'vitest';
import { formatPage, PAGE_LIMIT } from '../../src/summary/page.ts';

const section = (name: string, rows: number) => ({
  head: `## ${name}`,
  rows: Array.from({ length: rows }, (_, index) => `- ${name} ${index} é`),
  foot: '</details>',
  more: (left: number) => `- and ${left} more in the report`,
});

test('a page that fits is whole', () => {
  expect(formatPage([section('a', 2), section('b', 0)])).toBe(
    '## a\n- a 0 é\n- a 1 é\n</details>\n\n## b\n</details>\n',
  );
});

test('a page that does not fit keeps its limit, says what it left out, and cuts the last sections first', () => {
  const page = formatPage([section('a', 10), section('b', 100_000), section('c', 5)]);
  expect(Buffer.byteLength(page)).toBeLessThanOrEqual(PAGE_LIMIT);
  expect(Buffer.byteLength(page)).toBeGreaterThan(PAGE_LIMIT - 100);
  expect(page).toContain('- a 9 é');
  expect(page).toMatch(
    /- and \d{5} more in the report\n<\/details>\n\n## c\n- and 5 more in the report\n<\/details>\n$/,
  );
});
