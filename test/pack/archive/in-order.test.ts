import { expect, test } from 'vitest';
import { inOrder } from '../../../src/pack/archive/in-order.ts';

/** Numbers from 0 on, and how many of them were asked for. */
function numbers(count: number) {
  const seen = { given: 0, ended: false };
  async function* generate(): AsyncGenerator<number> {
    try {
      for (let number = 0; number < count; number += 1) {
        seen.given += 1;
        yield number;
      }
    } finally {
      seen.ended = true;
    }
  }
  return { seen, items: generate() };
}

async function all<Result>(results: AsyncGenerator<Result>): Promise<Result[]> {
  const found: Result[] = [];
  for await (const result of results) found.push(result);
  return found;
}

test('results come in the order of items, whichever work ends first', async () => {
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const { items } = numbers(3);
  const results = inOrder(items, 3, async (number) => {
    await gates[number]?.promise;
    return `result ${number}`;
  });
  const first = results.next();
  gates[2]?.resolve();
  gates[1]?.resolve();
  gates[0]?.resolve();
  expect((await first).value).toBe('result 0');
  expect(await all(results)).toEqual(['result 1', 'result 2']);
});

test('no more than so many items are fetched ahead', async () => {
  const { items, seen } = numbers(10);
  const results = inOrder(items, 3, async (number) => number);
  await results.next();
  // The first was given out, and the next three are on their way.
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen.given).toBe(4);
  await results.return(undefined);
  expect(seen.ended).toBe(true);
});

test('a failure of work ends it, after the results before it, and work under way is waited for', async () => {
  const { items, seen } = numbers(10);
  const late = Promise.withResolvers<void>();
  let isWaitedFor = false;
  const results = inOrder(items, 3, async (number) => {
    if (number === 1) throw new Error('no');
    if (number === 2) {
      await late.promise;
      isWaitedFor = true;
    }
    return number;
  });
  expect((await results.next()).value).toBe(0);
  const failed = results.next();
  late.resolve();
  await expect(failed).rejects.toThrow('no');
  expect([isWaitedFor, seen.ended]).toEqual([true, true]);
});

test('a failure of the items ends it too', async () => {
  async function* broken(): AsyncGenerator<number> {
    yield 1;
    throw new Error('no more');
  }
  const results = inOrder(broken(), 2, async (number) => number);
  expect((await results.next()).value).toBe(1);
  await expect(results.next()).rejects.toThrow('no more');
});

test('without items there are no results', async () => {
  expect(await all(inOrder(numbers(0).items, 4, async (number) => number))).toEqual([]);
});
