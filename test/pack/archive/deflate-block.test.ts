import { randomBytes } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Block } from '../../../src/pack/archive/block.ts';
import { deflateBlock } from '../../../src/pack/archive/deflate-block.ts';

const END = Buffer.from([0x03, 0x00]);
const TEXT = Buffer.alloc(200_000, 'Kubernetes without a network. ');
const NOISE = randomBytes(200_000);
const NOTHING = Buffer.alloc(0);

function block(data: Buffer, more: Partial<Block> = {}): Block {
  return { memory: { bytes: data }, data, dictionary: NOTHING, compressedEntry: false, ...more };
}

test.each<[string, Block, 0 | 5]>([
  ['text', block(TEXT), 5],
  ['noise', block(NOISE), 5],
  ['what its entry says is compressed', block(NOISE, { compressedEntry: true }), 5],
  ['anything at level 0', block(TEXT), 0],
])('%s comes back', async (_, given, level) => {
  const deflated = Buffer.concat(await deflateBlock(given, level));
  expect(inflateRawSync(Buffer.concat([deflated, END])).equals(given.data)).toBe(true);
});

test('blocks that refer to the one before make one stream', async () => {
  const first = await deflateBlock(block(TEXT), 5);
  const second = await deflateBlock(block(TEXT, { dictionary: TEXT.subarray(-32 * 1024) }), 5);
  const whole = inflateRawSync(Buffer.concat([...first, ...second, END]));
  expect(whole.equals(Buffer.concat([TEXT, TEXT]))).toBe(true);
});

test.each<[string, Block, boolean]>([
  ['text', block(TEXT), false],
  ['text whose entry says that it is compressed', block(TEXT, { compressedEntry: true }), false],
  ['noise', block(NOISE), true],
])('%s is stored: %s', async (_, given, isStored) => {
  const pieces = await deflateBlock(given, 5);
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  // Stored pieces of up to 64 KiB have five bytes before each.
  expect(size === given.data.length + Math.ceil(given.data.length / 0xffff) * 5).toBe(isStored);
});
