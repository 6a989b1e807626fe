import { expect, test } from 'vitest';
import { formatHistory } from '../../src/summary/history.ts';

function run(
  day: number,
  copied: number,
  more: { failed?: number; deferred?: number; outcome?: 'interrupted' } = {},
) {
  const started = new Date(Date.UTC(2026, 10, day, 16, 20));
  return {
    started,
    ended: new Date(started.getTime() + 40_000 + copied * 1000),
    outcome: 'succeeded' as const,
    copied,
    skipped: 5000,
    failed: 0,
    deferred: 0,
    bytes: copied * 12 * (1 << 20),
    ...more,
  };
}

test('the last runs are a chart that anyone can read', () => {
  const runs = [
    run(20, 400),
    run(21, 3),
    run(22, 0),
    run(23, 25, { failed: 2, deferred: 1 }),
    run(24, 100, { outcome: 'interrupted' }),
  ];
  expect(formatHistory(runs)).toBe(
    [
      '```text',
      '2026-11-20 16:20  ████████████████████  400 copied  4.7 GiB  7 m 20 s',
      '2026-11-21 16:20  ▎                       3 copied   36 MiB    43.0 s',
      '2026-11-22 16:20                          0 copied      0 B    40.0 s',
      '2026-11-23 16:20  █▎                     25 copied  300 MiB   1 m 5 s  ✗ 2 failed, 1 deferred',
      '2026-11-24 16:20  █████                 100 copied  1.2 GiB  2 m 20 s  ✗ stopped',
      '```',
    ].join('\n'),
  );
});

test('a run of any length is told as log and summary tell it', () => {
  const started = new Date('2026-11-20T16:20:00.250Z');
  const lengths = [0, 8, 999, 1000, 1049, 59_949, 59_950, 3_600_000];
  const lines = formatHistory(
    lengths.map((length) => ({ ...run(20, 0), started, ended: new Date(started.getTime() + length) })),
  ).split('\n');
  expect(lines.slice(1, -1).map((line) => line.split('0 B')[1]?.trim())).toEqual([
    ...['0 ms', '8 ms', '999 ms', '1.0 s', '1.0 s', '59.9 s', '1 m 0 s', '1 h 0 m'],
  ]);
});

test('only the last fourteen are shown', () => {
  const lines = formatHistory(Array.from({ length: 20 }, (_, index) => run(index + 1, 1))).split('\n');
  expect(lines).toHaveLength(16);
  expect(lines[1]).toContain('2026-11-07');
});
