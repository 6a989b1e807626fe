import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { milliseconds, seconds } from '../../src/lib/duration.ts';
import { DEFAULT_PACE, PaceWatch } from '../../src/lib/http/answer-pace.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Lets an answer come at a steady rate. Returns the seconds after which it is given up; undefined if it is not. */
function givenUpAfter(bytesPerSecond: number, size: number, pace = DEFAULT_PACE): number | undefined {
  let failure: unknown;
  using watch = new PaceWatch(pace, 'r.example', (given) => {
    failure = given;
  });
  for (let second = 1; second * bytesPerSecond < size; second += 1) {
    watch.count(bytesPerSecond);
    vi.advanceTimersByTime(1000);
    if (failure !== undefined) {
      expect(failure).toMatchObject({ code: 'TIMED_OUT', about: 'r.example', transient: true });
      return second;
    }
  }
  return undefined;
}

const KIB = 1024;

it.each([
  ['a manifest of 100 KiB at 2 KiB/s', 2, 100, undefined],
  ['a page of tags of 300 KiB at 4 KiB/s', 4, 300, undefined],
  ['one of twenty lists of 1 MiB that share 64 KiB/s', 3.2, 1024, undefined],
  ['a list of 2 MiB at 16 KiB/s', 16, 2048, undefined],
  ['a list of 64 MiB at 1 MiB/s', 1024, 65_536, undefined],
  ['what trickles at 1 KiB/s', 1, 4096, 320],
  ['what trickles at 2 KiB/s', 2, 4096, 343],
  ['what trickles at 8 KiB/s', 8, 65_536, 600],
  ['what trickles at 12 KiB/s', 12, 65_536, 1200],
])('%s: it is given up only if it could last as long as the server likes', (_name, rate, size, expected) => {
  expect(givenUpAfter(rate * KIB, size * KIB)).toBe(expected);
});

it('without a grace there is no limit, and none once it is over', () => {
  expect(givenUpAfter(1, 1000, { grace: milliseconds(0), bytesPerSecond: KIB })).toBeUndefined();
  let failures = 0;
  new PaceWatch({ grace: seconds(1), bytesPerSecond: KIB }, 'r.example', () => {
    failures += 1;
  })[Symbol.dispose]();
  vi.advanceTimersByTime(10_000);
  expect(failures).toBe(0);
});
