import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Schedule } from '../../src/sync/run/schedule.ts';

const never = new AbortController().signal;
const some = (count: number) => Array.from({ length: count }, (_, rank) => ({ rank }));

/** Work that is over when the test says so, and the ranks of what was begun, in order. */
function workbench() {
  const begun: number[] = [];
  const ends = new Map<number, PromiseWithResolvers<void>>();
  const work = ({ rank }: { readonly rank: number }): Promise<void> => {
    begun.push(rank);
    const end = Promise.withResolvers<void>();
    ends.set(rank, end);
    return end.promise;
  };
  const end = (rank: number): void => ends.get(rank)?.resolve();
  return { begun, work, end, fail: (rank: number, error: Error) => ends.get(rank)?.reject(error) };
}

it('begins the most urgent of what is known, and more whenever one ends', async () => {
  const { begun, work, end } = workbench();
  const schedule = new Schedule(work, never);
  schedule.add(some(100).toReversed());
  const first = [...begun].toSorted((one, other) => one - other);
  expect(first).toEqual(some(96).map(({ rank }) => rank));
  expect(schedule.open).toBe(100);
  schedule.add([{ rank: -1 }]);
  end(3);
  await expect.poll(() => begun.slice(96)).toEqual([-1]);
  expect([...schedule.underWay].map(({ rank }) => rank)).not.toContain(3);
  const finished = schedule.finish();
  while (schedule.open > 0) {
    for (const rank of begun) end(rank);
    await turn();
  }
  expect(await finished).toEqual([]);
  expect(begun).toHaveLength(101);
});

it('begins nothing more after an abort, and returns what is left', async () => {
  const { begun, work, end } = workbench();
  const stop = new AbortController();
  const schedule = new Schedule(work, stop.signal);
  schedule.add(some(97));
  stop.abort(new Error('stopped'));
  const finished = schedule.finish();
  for (const rank of begun) end(rank);
  expect(await finished).toEqual([{ rank: 96 }]);
  expect(begun).toHaveLength(96);
});

it('ends at once where there is nothing to do', async () => {
  expect(await new Schedule(workbench().work, never).finish()).toEqual([]);
});

it('throws what broke the work only where its end is awaited, and begins nothing more', async () => {
  const { begun, work, end, fail } = workbench();
  const schedule = new Schedule(work, never);
  schedule.add(some(98));
  fail(0, new Error('the disk is full'));
  // Were it thrown where nobody listens, it would be so by now, and end the process.
  await turn();
  expect(begun).toHaveLength(96);
  const finished = schedule.finish();
  for (const rank of begun) end(rank);
  await expect(finished).rejects.toThrow('the disk is full');
  expect(begun).toHaveLength(96);
});
