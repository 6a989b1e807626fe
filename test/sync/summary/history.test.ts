import { expect, test } from 'vitest';
import { formatHistory } from '../../../src/sync/summary/history.ts';

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
      '2026-11-21 16:20  ▎                       3 copied   36 MiB      43 s',
      '2026-11-22 16:20                          0 copied      0 B      40 s',
      '2026-11-23 16:20  █▎                     25 copied  300 MiB   1 m 5 s  ✗ 2 failed, 1 deferred',
      '2026-11-24 16:20  █████                 100 copied  1.2 GiB  2 m 20 s  ✗ stopped',
      '```',
    ].join('\n'),
  );
});

test('only the last fourteen are shown', () => {
  const lines = formatHistory(Array.from({ length: 20 }, (_, index) => run(index + 1, 1))).split('\n');
  expect(lines).toHaveLength(16);
  expect(lines[1]).toContain('2026-11-07');
});
