import { describe, expect, it } from 'vitest';
import { Lane } from '../../src/lib/lane.ts';

const { signal } = new AbortController();

/** Lets everything that can go on without time passing do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function grow(lane: Lane, times: number): void {
  for (let count = 0; count < times; count += 1) lane.succeeded();
}

describe('a lane', () => {
  it('lets in as many as it is wide, then one for each that leaves, in the order of asking', async () => {
    const lane = new Lane({ start: 2 });
    const entered: number[] = [];
    const leave: (() => void)[] = [];
    for (const number of [1, 2, 3, 4]) {
      void Lane.take([lane], signal).then((giveBack) => {
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
    const narrow = new Lane({ start: 1 });
    const wide = new Lane({ start: 1 });
    const giveBack = await Lane.take([narrow], signal);
    let isIn = false;
    const both = Lane.take([wide, narrow], signal).then((leave) => {
      isIn = true;
      return leave;
    });
    await settle();
    expect(isIn).toBe(false);
    // Waiting for both holds neither.
    (await Lane.take([wide], signal))();
    giveBack();
    (await both)();
    expect([narrow.hasRoom, wide.hasRoom]).toEqual([true, true]);
  });

  it('counts once when it is named twice', async () => {
    const lane = new Lane({ start: 1 });
    const giveBack = await Lane.take([lane, lane], signal);
    expect(lane.hasRoom).toBe(false);
    giveBack();
    expect(lane.hasRoom).toBe(true);
  });

  it('is left by who stops waiting, and passed on', async () => {
    const lane = new Lane({ start: 1 });
    const giveBack = await Lane.take([lane], signal);
    const impatient = new AbortController();
    const given = Lane.take([lane], impatient.signal);
    const patient = Lane.take([lane], signal);
    impatient.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    giveBack();
    (await patient)();
    expect(lane.hasRoom).toBe(true);
    await expect(Lane.take([lane], impatient.signal)).rejects.toThrow('enough');
    expect(lane.hasRoom).toBe(true);
  });

  it('doubles until it is throttled, then grows by one', () => {
    const lane = new Lane({ start: 2, ceiling: 10 });
    grow(lane, 2);
    expect(lane.width).toBe(4);
    grow(lane, 4);
    expect(lane.width).toBe(8);
    lane.throttled();
    expect(lane.width).toBe(4);
    grow(lane, 4);
    expect(lane.width).toBe(5);
    for (let count = 0; count < 10; count += 1) lane.throttled();
    expect(lane.width).toBe(1);
    grow(lane, 1000);
    expect(lane.width).toBe(10);
  });

  it('admits those who wait when it grows', async () => {
    const lane = new Lane({ start: 1, ceiling: 2 });
    await Lane.take([lane], signal);
    const second = Lane.take([lane], signal);
    lane.succeeded();
    await expect(second).resolves.toBeTypeOf('function');
  });

  it('keeps a fixed width', () => {
    const lane = new Lane({ start: 3 });
    grow(lane, 100);
    lane.throttled();
    expect(lane.width).toBe(3);
  });
});
