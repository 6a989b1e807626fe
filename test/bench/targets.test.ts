import { expect, test } from 'vitest';
import { describeNoise } from '../../bench/noise.ts';
import type { MeasuredCase, Results } from '../../bench/results.ts';
import { median, type Sample } from '../../bench/sample.ts';
import { caseTable, targetTable } from '../../bench/table.ts';

function sample(seconds: number, more: Partial<Sample> = {}): Sample {
  return { seconds, cpuSeconds: 1, memory: 100, servers: {}, otherCpuSeconds: 0, load: 0, ...more };
}

type Measured = Pick<MeasuredCase, 'id' | 'samples'> & Partial<MeasuredCase>;

function results(...cases: readonly Measured[]): Results {
  return {
    machine: { processor: 'any', cores: 2, memory: 0, system: 'any', files: 'memory' },
    versions: {},
    cases: cases.map((each) => ({ title: each.id, measured: '', facts: {}, ...each })),
  };
}

test.each([
  { values: [3, 1, 2], middle: 2 },
  { values: [4, 1, 2, 3], middle: 2.5 },
  { values: [], middle: Number.NaN },
])('the median of $values is $middle', ({ values, middle }) => {
  expect(median(values)).toBe(middle);
});

test('a target against another tool is a ratio of medians', () => {
  const skopeo = [sample(100), sample(60), sample(80)];
  const table = targetTable(
    results({ id: 'cold-30', samples: { keel: [sample(2), sample(4), sample(9)], skopeo } }),
  );
  expect(table[1]).toEqual(['cold mirror, 30 ms', 'skopeo', '25× faster', '20.0×', '**no**']);
});

test('a target for requests says how large a part of the other tool they are', () => {
  const asked = (count: number): Sample =>
    sample(1, { requests: { source: { GET: count }, destination: { PUT: count } }, connections: count });
  const table = targetTable(results({ id: 'cold-30', samples: { keel: [asked(40)], skopeo: [asked(100)] } }));
  expect(table.slice(2, 4)).toEqual([
    ['cold mirror, requests', 'skopeo', '≤ 0.45×', '0.40×', 'yes'],
    ['cold mirror, connections', 'skopeo', '≤ 0.05×', '0.40×', '**no**'],
  ]);
});

test('writes without a change miss the target, however few, and sets of other sizes have none', () => {
  const writing = sample(1, { requests: { source: { HEAD: 9 }, destination: { HEAD: 9, PUT: 1 } } });
  const measured = { id: 'unchanged', samples: { keel: [writing, sample(1)] } };
  const table = targetTable(results({ ...measured, facts: { tags: 200 } }));
  expect(table[1]).toEqual(['no change, 200 tags, no state: writes', '', '≤ 0', '1', '**no**']);
  expect(targetTable(results({ ...measured, facts: { tags: 30 } }))).toHaveLength(1);
});

test('what was not measured is left out', () => {
  expect(targetTable(results())).toHaveLength(1);
  const [heading, row] = caseTable(
    { id: 'any', title: '', measured: '', facts: {}, samples: { keel: [sample(2, { otherCpuSeconds: 1 })] } },
    2,
  );
  expect(heading).toEqual(['', 'seconds', 'time', 'CPU s', 'peak MiB', 'used by others']);
  expect(row).toEqual(['keel', '2.00', '1.00×', '1.00', '100', '25 %']);
});

test('a run on a busy machine says so, and of which cases', () => {
  const quiet = { id: 'quiet', samples: { keel: [sample(10, { otherCpuSeconds: 0.5 })] } };
  const busy = { id: 'busy', samples: { keel: [sample(10, { otherCpuSeconds: 8 })] } };
  expect(describeNoise(results(quiet))).toBe('The machine did nothing else to speak of.');
  expect(describeNoise(results(quiet, busy))).toContain('during 1 of 2 cases (busy)');
});
