import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashQetagBlock, hashQetagBlockAside, QETAG_BLOCK_SIZE, qetagOfBlocks } from '../../src/lib/qetag.ts';

function qetagOf(content: Buffer): string {
  const count = Math.max(1, Math.ceil(content.length / QETAG_BLOCK_SIZE));
  const blocks = Array.from({ length: count }, (_, index) =>
    hashQetagBlock(content.subarray(index * QETAG_BLOCK_SIZE, (index + 1) * QETAG_BLOCK_SIZE)),
  );
  return qetagOfBlocks(blocks);
}

// https://developer.qiniu.com/kodo/1231/appendix#3
test('the hash of nothing is the one that Kodo documents', () => {
  expect(qetagOf(Buffer.alloc(0))).toBe('Fto5o-5ea0sNMlW_75VgGJCv2AcJ');
});

test('one block has its own sha1 after a 0x16', () => {
  const content = Buffer.alloc(QETAG_BLOCK_SIZE, 'a');
  const sha1 = createHash('sha1').update(content).digest();
  expect(Buffer.from(qetagOf(content), 'base64url')).toEqual(Buffer.concat([Buffer.of(0x16), sha1]));
});

test('a byte more makes two blocks, and the sha1 of both after a 0x96', () => {
  const content = Buffer.alloc(QETAG_BLOCK_SIZE + 1, 'a');
  const [first, second] = [content.subarray(0, QETAG_BLOCK_SIZE), content.subarray(QETAG_BLOCK_SIZE)].map(
    (block) => createHash('sha1').update(block).digest(),
  );
  const sha1 = createHash('sha1')
    .update(first ?? '')
    .update(second ?? '')
    .digest();
  expect(Buffer.from(qetagOf(content), 'base64url')).toEqual(Buffer.concat([Buffer.of(0x96), sha1]));
});

test('a block hashed beside the main thread has the same hash', async () => {
  const block = new Uint8Array(Buffer.from('some block'));
  expect(Buffer.from(await hashQetagBlockAside(block))).toEqual(hashQetagBlock(block));
});
