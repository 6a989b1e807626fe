import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { seconds } from '../../src/lib/duration.ts';
import { PushClock } from '../../src/sync/copy/push-clock.ts';

const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('time is counted while something is transferred, and not while all waits', () => {
  using clock = new PushClock(seconds(10), 'e.org/a:v1', never);
  vi.advanceTimersByTime(60_000);
  clock.setActive(true);
  vi.advanceTimersByTime(6000);
  clock.setActive(false);
  vi.advanceTimersByTime(60_000);
  expect(clock.signal.aborted).toBe(false);
  clock.setActive(true);
  vi.advanceTimersByTime(3999);
  expect(clock.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(clock.signal.reason).toMatchObject({
    code: 'PUSH_TIMED_OUT',
    about: 'e.org/a:v1',
    message: 'pushing it took longer than 10.0 s',
  });
});

test('several transfers at once take the time of one', () => {
  using clock = new PushClock(seconds(10), 'e.org/a:v1', never);
  clock.setActive(true);
  vi.advanceTimersByTime(4000);
  clock.setActive(true);
  vi.advanceTimersByTime(4000);
  clock.setActive(false);
  vi.advanceTimersByTime(1999);
  expect(clock.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(clock.signal.aborted).toBe(true);
});

test('a limit of 0 is none', () => {
  using clock = new PushClock(seconds(0), 'e.org/a:v1', never);
  clock.setActive(true);
  vi.advanceTimersByTime(24 * 3_600_000);
  expect(clock.signal.aborted).toBe(false);
});

test('the end of the run is the end of the image', () => {
  const run = new AbortController();
  using clock = new PushClock(seconds(10), 'e.org/a:v1', run.signal);
  const reason = new Error('stopped');
  run.abort(reason);
  expect(clock.signal.reason).toBe(reason);
});

test('an image that is done has no timer left', () => {
  const clock = new PushClock(seconds(10), 'e.org/a:v1', never);
  clock.setActive(true);
  clock[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});
