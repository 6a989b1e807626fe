import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { RunDeadline } from '../../src/lib/run-deadline.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-31T00:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

test('aborts when its time is over, and says so', () => {
  using deadline = new RunDeadline(milliseconds(90_000), new AbortController().signal);
  expect(deadline.at).toBe(Date.parse('2026-01-31T00:01:30Z'));
  vi.advanceTimersByTime(89_999);
  expect(deadline.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(deadline.signal.reason).toMatchObject({ code: 'COMMAND_TIMED_OUT', about: 'command-timeout' });
  expect(deadline.reason).toBe('the time limit of 1 m 30 s is over');
});

test('without a limit it never is', () => {
  using deadline = new RunDeadline(milliseconds(0), new AbortController().signal);
  expect(deadline.at).toBeUndefined();
  expect(vi.getTimerCount()).toBe(0);
  expect(deadline.signal.aborted).toBe(false);
});

test('aborts with whoever stops the run from outside, for that reason', () => {
  const outer = new AbortController();
  using deadline = new RunDeadline(milliseconds(90_000), outer.signal);
  outer.abort(new DOMException('cancelled by SIGINT', 'AbortError'));
  expect(deadline.signal.reason).toBe(outer.signal.reason);
  expect(deadline.reason).toContain('cancelled by SIGINT');
  vi.advanceTimersByTime(90_000);
  expect(deadline.signal.reason).toBe(outer.signal.reason);
});

test('keeps no process alive once the run is over', () => {
  const deadline = new RunDeadline(milliseconds(90_000), new AbortController().signal);
  expect(vi.getTimerCount()).toBe(1);
  deadline[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});

test('ends what the run has left behind', () => {
  const deadline = new RunDeadline(milliseconds(0), new AbortController().signal);
  deadline[Symbol.dispose]();
  expect(deadline.signal.aborted).toBe(true);
});
