import { expect, test } from 'vitest';
import { inOrder } from '../../../src/pack/archive/in-order.ts';

async function* numbers(count: number, onEnd: () => void = () => undefined): AsyncGenerator<number> {
  try {
    for (let number = 0; number < count; number += 1) yield number;
  } finally {
    onEnd();
  }
}

test('results come in the order of the items, whatever ends first', async () => {
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const results: number[] = [];
  const work = inOrder(numbers(5), 3, async (number) => {
    // Each but the last waits for the next one.
    if (number < 4 && number % 3 !== 2) await gates[number + 1]?.promise;
    gates[number]?.resolve();
    return number * 10;
  });
  for await (const result of work) results.push(result);
  expect(results).toEqual([0, 10, 20, 30, 40]);
});

test('no more items are taken than may be ahead', async () => {
  let started = 0;
  const work = inOrder(numbers(10), 3, async (number) => {
    started += 1;
    return number;
  });
  await work.next();
  // Three at the start, and one more in place of the one that was given.
  expect(started).toBeLessThanOrEqual(4);
  await work.return(undefined);
});

test.each([
  ['an item', 2, 9],
  ['work', 9, 2],
])('a failure of %s comes in its turn, and ends the items', async (_, item, task) => {
  let isEnded = false;
  async function* items(): AsyncGenerator<number> {
    for await (const number of numbers(6, () => {
      isEnded = true;
    })) {
      if (number === item) throw new Error('broke');
      yield number;
    }
  }
  const results: number[] = [];
  const run = async (): Promise<void> => {
    const work = inOrder(items(), 2, async (number) => {
      if (number === task) throw new Error('broke');
      return number;
    });
    for await (const result of work) results.push(result);
  };
  await expect(run()).rejects.toThrow('broke');
  expect(results).toEqual([0, 1]);
  expect(isEnded).toBe(true);
});
