import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RateLimiter } from '../../src/lib/rate-limiter.ts';

let now = 0;
beforeEach(() => {
  now = 10_000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Returns how many of ten may start at this moment: those that had to wait give up at once. */
async function startsOf(limiter: RateLimiter): Promise<number> {
  const impatient = AbortSignal.abort(new Error('no time'));
  const turns = await Promise.allSettled(Array.from({ length: 10 }, () => limiter.turn(impatient)));
  return turns.filter(({ status }) => status === 'fulfilled').length;
}

test('lets a burst start and makes the next wait', async () => {
  expect(await startsOf(new RateLimiter(50))).toBe(5);
  expect(await startsOf(new RateLimiter(10))).toBe(1);
});

test('lets the first start however slow the rate is', async () => {
  expect(await startsOf(new RateLimiter(0.001))).toBe(1);
});

test('lets a burst start again after a rest, and no more than that after a long one', async () => {
  const limiter = new RateLimiter(50);
  expect(await startsOf(limiter)).toBe(5);
  now += 1000;
  expect(await startsOf(limiter)).toBe(5);
  now += 3_600_000;
  expect(await startsOf(limiter)).toBe(5);
});

test('whoever waits is let go with the reason of the signal', async () => {
  const limiter = new RateLimiter(0.001);
  const stop = new AbortController();
  await limiter.turn(stop.signal);
  const turn = limiter.turn(stop.signal);
  stop.abort(new Error('enough'));
  await expect(turn).rejects.toThrow('enough');
});
