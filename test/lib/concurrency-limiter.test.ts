import { describe, expect, it } from 'vitest';
import { ConcurrencyLimiter } from '../../src/lib/concurrency-limiter.ts';

const { signal } = new AbortController();

/** Lets everything that can go on without time passing do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function grow(limiter: ConcurrencyLimiter, times: number): void {
  for (let count = 0; count < times; count += 1) limiter.succeeded();
}

describe('a limiter', () => {
  it('lets in as many as it is wide, then one for each that leaves, in the order of asking', async () => {
    const limiter = new ConcurrencyLimiter({ start: 2 });
    const entered: number[] = [];
    const leave: (() => void)[] = [];
    for (const number of [1, 2, 3, 4]) {
      void ConcurrencyLimiter.take([limiter], signal).then((giveBack) => {
        entered.push(number);
        leave.push(giveBack);
      });
    }
    await settle();
    expect(entered).toEqual([1, 2]);
    leave[1]?.();
    await settle();
    expect(entered).toEqual([1, 2, 3]);
    leave[1]?.();
    await settle();
    expect(entered).toEqual([1, 2, 3]);
    leave[0]?.();
    await settle();
    expect(entered).toEqual([1, 2, 3, 4]);
  });

  it('is taken together with others or not at all', async () => {
    const narrow = new ConcurrencyLimiter({ start: 1 });
    const wide = new ConcurrencyLimiter({ start: 1 });
    const giveBack = await ConcurrencyLimiter.take([narrow], signal);
    let isIn = false;
    const both = ConcurrencyLimiter.take([wide, narrow], signal).then((leave) => {
      isIn = true;
      return leave;
    });
    await settle();
    expect(isIn).toBe(false);
    // Waiting for both holds neither.
    (await ConcurrencyLimiter.take([wide], signal))();
    giveBack();
    (await both)();
    expect([narrow.hasRoom, wide.hasRoom]).toEqual([true, true]);
  });

  it('counts once when it is named twice', async () => {
    const limiter = new ConcurrencyLimiter({ start: 1 });
    const giveBack = await ConcurrencyLimiter.take([limiter, limiter], signal);
    expect(limiter.hasRoom).toBe(false);
    giveBack();
    expect(limiter.hasRoom).toBe(true);
  });

  it('is left by who stops waiting, and passed on', async () => {
    const limiter = new ConcurrencyLimiter({ start: 1 });
    const giveBack = await ConcurrencyLimiter.take([limiter], signal);
    const impatient = new AbortController();
    const given = ConcurrencyLimiter.take([limiter], impatient.signal);
    const patient = ConcurrencyLimiter.take([limiter], signal);
    impatient.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    giveBack();
    (await patient)();
    expect(limiter.hasRoom).toBe(true);
    await expect(ConcurrencyLimiter.take([limiter], impatient.signal)).rejects.toThrow('enough');
    expect(limiter.hasRoom).toBe(true);
  });

  it('doubles until it is throttled, then grows by one', () => {
    const limiter = new ConcurrencyLimiter({ start: 2, ceiling: 10 });
    grow(limiter, 2);
    expect(limiter.width).toBe(4);
    grow(limiter, 4);
    expect(limiter.width).toBe(8);
    limiter.throttled();
    expect(limiter.width).toBe(4);
    grow(limiter, 4);
    expect(limiter.width).toBe(5);
    for (let count = 0; count < 10; count += 1) limiter.throttled();
    expect(limiter.width).toBe(1);
    grow(limiter, 1000);
    expect(limiter.width).toBe(10);
  });

  it('admits those who wait when it grows', async () => {
    const limiter = new ConcurrencyLimiter({ start: 1, ceiling: 2 });
    await ConcurrencyLimiter.take([limiter], signal);
    const second = ConcurrencyLimiter.take([limiter], signal);
    limiter.succeeded();
    await expect(second).resolves.toBeTypeOf('function');
  });

  it('keeps a fixed width', () => {
    const limiter = new ConcurrencyLimiter({ start: 3 });
    grow(limiter, 100);
    limiter.throttled();
    expect(limiter.width).toBe(3);
  });
});
