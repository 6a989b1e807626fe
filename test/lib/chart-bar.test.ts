import { expect, test } from 'vitest';
import { bar } from '../../src/lib/text/chart-bar.ts';

test.each([
  [0, 10, ''],
  [1, 4, '████'],
  [0.5, 4, '██'],
  [0.125, 1, '▏'],
  [0.75, 1, '▊'],
  [0.5, 5, '██▌'],
  [0.000_001, 10, '▏'],
  [0.999, 1, '█'],
])('%d of a width of %d is %j', (fraction, width, text) => {
  expect(bar(fraction, width)).toBe(text);
});
