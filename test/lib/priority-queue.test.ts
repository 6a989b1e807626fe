import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PriorityQueue } from '../../src/lib/priority-queue.ts';

function queueOf(...items: readonly (readonly [string, number])[]): PriorityQueue<string> {
  const queue = new PriorityQueue<string>();
  for (const [item, rank] of items) queue.add(item, rank);
  return queue;
}

test('gives the lowest rank first, and equal ones as they came', () => {
  const queue = queueOf(['c', 2], ['a', 1], ['d', 2], ['b', 1], ['e', 3]);
  expect(queue.length).toBe(5);
  expect([queue.take(), queue.take(), queue.take()]).toEqual(['a', 'b', 'c']);
  queue.add('f', 0);
  expect([queue.take(), queue.take(), queue.take(), queue.take()]).toEqual(['f', 'd', 'e', undefined]);
  expect(queue.length).toBe(0);
});

test('gives all that is left in the same order, and is empty then', () => {
  const queue = queueOf(['c', 2], ['a', 1], ['b', 1]);
  expect(queue.takeAll()).toEqual(['a', 'b', 'c']);
  expect([queue.length, queue.take(), queue.takeAll()]).toEqual([0, undefined, []]);
  queue.add('d', 1);
  expect(queue.take()).toBe('d');
});

test('sorts as a stable sort does, whatever comes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 3 })), (ranks) => {
      const items = ranks.map((rank, index) => ({ rank, index }));
      const queue = new PriorityQueue<(typeof items)[number]>();
      for (const item of items) queue.add(item, item.rank);
      expect(queue.takeAll()).toEqual(items.toSorted((one, other) => one.rank - other.rank));
    }),
  );
});
