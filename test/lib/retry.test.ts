import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { attempt } from '../../src/lib/retry.ts';

const policy = { attempts: 3, interval: milliseconds(1) };
const { signal } = new AbortController();
const isTransient = (): boolean => true;

it('waits as long as the other side asks for', async () => {
  const until = Date.now() + 50;
  const times: number[] = [];
  await attempt({ policy, signal, isTransient, heldUntil: () => until }, async (number) => {
    times.push(Date.now());
    if (number === 1) throw new Error('not now');
  });
  expect(times).toHaveLength(2);
  // Timers may be early by a part of a millisecond.
  expect(times[1]).toBeGreaterThanOrEqual(until - 1);
});

it('does not ask again who wants more patience than five minutes', async () => {
  let count = 0;
  const asked = attempt({ policy, signal, isTransient, heldUntil: () => Date.now() + 301_000 }, async () => {
    count += 1;
    throw new Error('in an hour');
  });
  await expect(asked).rejects.toThrow('in an hour');
  expect(count).toBe(1);
});
