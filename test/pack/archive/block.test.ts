import { expect, test } from 'vitest';
import { BLOCK_SIZE, BlockMemories, WINDOW_SIZE } from '../../../src/pack/archive/block.ts';

test('a memory has room for a block and the window before it', async () => {
  const { bytes } = await new BlockMemories(1).take();
  expect(bytes.length).toBe(WINDOW_SIZE + BLOCK_SIZE);
});

test('who finds none free gets the next that is released, in the order of asking', async () => {
  const memories = new BlockMemories(2);
  const [first, second] = [await memories.take(), await memories.take()];
  const waiting = [memories.take(), memories.take()];
  memories.release(second);
  memories.release(first);
  expect(await Promise.all(waiting)).toEqual([second, first]);
  expect(first).not.toBe(second);
});

test('a released memory is used again', async () => {
  const memories = new BlockMemories(2);
  const memory = await memories.take();
  memories.release(memory);
  expect(await memories.take()).toBe(memory);
});

test('nobody waits for memories that are closed', async () => {
  const memories = new BlockMemories(1);
  await memories.take();
  const reason = new Error('stopped');
  const waiting = memories.take();
  memories.close(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(memories.take()).rejects.toBe(reason);
});
