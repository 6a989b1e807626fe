import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { middle, most, type Reading, readResults } from '../../bench/results.ts';
import { tablesOf } from '../support/markdown-page.ts';

const LINES = readFileSync('README.md', 'utf8').split('\n');
const RESULTS = readResults('bench/results.json');

/** Returns the cells of each row of the table with this column, without emphasis and links. */
function tableWith(column: string): string[][] {
  const table = tablesOf('README.md').find(([head = []]) => head.includes(column)) ?? [];
  return table.map((row) => row.map((cell) => cell.replaceAll('*', '').replace(/^\[(.*)\]\(.*\)$/, '$1')));
}

test('it is short enough to be read', () => {
  expect(LINES.length).toBeLessThanOrEqual(180);
});

const seconds: Reading = (sample) => sample.seconds;
const memory: Reading = (sample) => sample.memory;
const asSeconds = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;
const asMemory = (value: number): string => `${value.toFixed(0)} MiB`;

test.each([
  ['30 new tags, 30 ms away', 'cold-30', middle, seconds, asSeconds],
  ['200 unchanged tags, 30 ms away', 'unchanged', middle, seconds, asSeconds],
  ['One layer of 1 GiB, no distance', 'large-layer', middle, seconds, asSeconds],
  ['Peak memory for the 30 new tags', 'cold-30', most, memory, asMemory],
] as const)('it has the numbers that were measured: %s', (row, id, summarise, read, show) => {
  const [head = [], ...rows] = tableWith('skopeo sync');
  const cells = rows.find(([name]) => name === row) ?? [];
  const measured = RESULTS.cases.find((each) => each.id === id);
  const values = head.slice(1).map((tool) => {
    const contender = tool === 'keel-pkg' ? 'keel' : tool.replace(' sync', '');
    const value = summarise(measured, contender, read);
    return value === undefined ? 'not measured' : show(value);
  });
  expect(cells.slice(1)).toEqual(values);
});

test('what it calls the best of a measurement is the best', () => {
  const rows = LINES.filter((line) => line.startsWith('| [') && line.includes('bench/README.md'));
  expect(rows.length).toBe(4);
  for (const row of rows) {
    const cells = row.split('|').slice(2, -1);
    const numbers = cells.map((cell) => Number.parseFloat(cell.replaceAll('*', '')));
    const best = Math.min(...numbers.filter((value) => !Number.isNaN(value)));
    expect(
      cells.filter((cell) => cell.includes('**')).map((cell) => Number.parseFloat(cell.replaceAll('*', ''))),
    ).toEqual([best]);
  }
});
