import { type MeasuredCase, middle, most, type Reading, type Results } from './results.ts';
import type { Table } from './table.ts';

const READINGS: readonly (readonly [heading: string, read: Reading, of: typeof middle])[] = [
  ['time', (sample) => sample.seconds, middle],
  ['CPU', (sample) => sample.cpuSeconds, middle],
  ['peak memory', (sample) => sample.memory, most],
  ['size', (sample) => sample.size, middle],
];
/** Less than that is no difference. */
const WORTH_TELLING = 0.97;

/** Returns what others did with less than this project: each value as a part of this project's, empty where it is not less. */
export function lossTable(results: Results): Table {
  const rows = results.cases.flatMap((measured) =>
    Object.keys(measured.samples)
      .filter((contender) => !contender.startsWith('keel'))
      .map((contender) => [measured.id, contender, ...partsOf(measured, contender)]),
  );
  const heading = ['case', 'with', ...READINGS.map(([name]) => name)];
  return [heading, ...rows.filter(([, , ...cells]) => cells.some((cell) => cell !== ''))];
}

function partsOf(measured: MeasuredCase, contender: string): string[] {
  return READINGS.map(([, read, of]) => {
    const ours = of(measured, 'keel', read);
    const theirs = of(measured, contender, read);
    if (ours === undefined || theirs === undefined || theirs >= ours * WORTH_TELLING) return '';
    return `${(theirs / ours).toFixed(2)}×`;
  });
}
