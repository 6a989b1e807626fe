import { expect, test } from 'vitest';
import { wrapLine } from '../../src/lib/text/columns.ts';

test.each<[line: string, width: number | undefined, wrapped: string]>([
  ['name  a line that is long', undefined, 'name  a line that is long'],
  ['name  a line that is long', 25, 'name  a line that is long'],
  ['name  a line that is long', 16, 'name  a line\n      that is\n      long'],
  ['name  unbreakable-as-it-is rest', 12, 'name  unbreakable-as-it-is\n      rest'],
  ['unbreakable', 4, 'unbreakable'],
])('%s in %s columns', (line, width, wrapped) => {
  expect(wrapLine(line, width, 6)).toBe(wrapped);
});
