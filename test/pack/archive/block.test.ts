import { expect, test } from 'vitest';
import { BLOCK_SIZE, BlockMemories, WINDOW_SIZE } from '../../../src/pack/archive/block.ts';

test('memories hold a window and a block, and are shared with the hashing thread', async () => {
  const { bytes } = await new BlockMemories(1).take();
  expect(bytes.length).toBe(WINDOW_SIZE + BLOCK_SIZE);
  expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test('there are so many and no more: who comes later gets what is given back, in turn', async () => {
  const memories = new BlockMemories(2);
  const [one, other] = [await memories.take(), await memories.take()];
  const waiting = [memories.take(), memories.take()];
  memories.release(other);
  memories.release(one);
  expect(await Promise.all(waiting)).toEqual([other, one]);
});

test('one that is free is used again', async () => {
  const memories = new BlockMemories(1);
  const only = await memories.take();
  memories.release(only);
  expect(await memories.take()).toBe(only);
});

test('closing ends all waiting, and what comes later', async () => {
  const memories = new BlockMemories(1);
  await memories.take();
  const waiting = memories.take();
  memories.close(new Error('the disk is full'));
  await expect(waiting).rejects.toThrow('the disk is full');
  await expect(memories.take()).rejects.toThrow('the disk is full');
});
