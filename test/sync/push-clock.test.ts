import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { PushClock } from '../../src/sync/copy/push-clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function clockOf(limit: number, outer = new AbortController().signal): PushClock {
  return new PushClock(milliseconds(limit), 'registry.example/app:v1', outer);
}

test('ends an image whose transfers take longer than they may', () => {
  using clock = clockOf(90_000);
  clock.setActive(true);
  vi.advanceTimersByTime(89_999);
  expect(clock.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(clock.signal.reason).toMatchObject({
    code: 'PUSH_TIMED_OUT',
    about: 'registry.example/app:v1',
    message: 'pushing it took longer than 1 m 30 s',
  });
});

describe('time counts', () => {
  test('only while a transfer holds a slot', () => {
    using clock = clockOf(1000);
    vi.advanceTimersByTime(5000);
    clock.setActive(true);
    vi.advanceTimersByTime(600);
    clock.setActive(false);
    vi.advanceTimersByTime(5000);
    clock.setActive(true);
    vi.advanceTimersByTime(399);
    expect(clock.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(clock.signal.aborted).toBe(true);
  });

  test('once for transfers at the same time', () => {
    using clock = clockOf(1000);
    clock.setActive(true);
    clock.setActive(true);
    vi.advanceTimersByTime(500);
    clock.setActive(false);
    vi.advanceTimersByTime(499);
    expect(clock.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(clock.signal.aborted).toBe(true);
  });
});

test('a limit of 0 is none', () => {
  using clock = clockOf(0);
  clock.setActive(true);
  expect(vi.getTimerCount()).toBe(0);
  clock.setActive(false);
  expect(clock.signal.aborted).toBe(false);
});

test('whoever ends the run ends the image, for that reason', () => {
  const outer = new AbortController();
  using clock = clockOf(1000, outer.signal);
  outer.abort(new Error('enough'));
  expect(clock.signal.reason).toEqual(new Error('enough'));
});

test('keeps no process alive once the image is done', () => {
  const clock = clockOf(1000);
  clock.setActive(true);
  clock[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});
