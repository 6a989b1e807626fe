import { expect, test } from 'vitest';
import { seconds } from '../../src/lib/duration.ts';
import { describeProgress } from '../../src/lib/progress-line.ts';

const PROGRESS = { activity: 'downloading', done: 1, total: 4, unit: 'files', bytes: 0, current: [] };

test.each([
  [PROGRESS, 0, 'downloading 1 of 4 files'],
  [PROGRESS, 10, 'downloading 1 of 4 files, about 30.0 s left'],
  [{ ...PROGRESS, bytes: 1 << 20 }, 1, 'downloading 1 of 4 files, 1 MiB'],
  [
    { ...PROGRESS, bytes: 1 << 20, bytesTotal: 2 << 20 },
    10,
    'downloading 1 of 4 files, 1 MiB of 2 MiB, 102 KiB/s, about 10.0 s left',
  ],
  [
    { ...PROGRESS, bytes: 1 << 20, bytesTotal: 2 << 20, isAtLeast: true },
    10,
    'downloading 1 of 4 files, 1 MiB of at least 2 MiB, 102 KiB/s, about 30.0 s left',
  ],
  [{ ...PROGRESS, bytesTotal: 2 << 20 }, 1, 'downloading 1 of 4 files, 0 B of 2 MiB'],
  [{ ...PROGRESS, failed: 1 }, 0, 'downloading 1 of 4 files, 1 failed'],
  [
    { ...PROGRESS, current: ['a', 'b'], notes: ['1 B of 2 B', undefined] },
    0,
    'downloading 1 of 4 files; now a (1 B of 2 B), b',
  ],
  [{ ...PROGRESS, done: 4 }, 10, 'downloading 4 of 4 files'],
  [{ ...PROGRESS, done: 0, total: 0 }, 10, 'downloading 0 of 0 files'],
  [{ ...PROGRESS, current: ['a', 'b', 'c'] }, 0, 'downloading 1 of 4 files; now a, b, c'],
  [
    { ...PROGRESS, current: ['a', 'b', 'c', 'd', 'e'] },
    0,
    'downloading 1 of 4 files; now a, b, c and 2 more',
  ],
])('progress %#', (progress, elapsed, line) => {
  expect(describeProgress(progress, seconds(elapsed))).toBe(line);
});
