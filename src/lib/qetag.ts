import { createHash, subtle } from 'node:crypto';

/** The hash that Qiniu Kodo computes for content: a prefix and a sha1 over 4 MiB blocks, in base64url. */
export type Qetag = string & { readonly grammar: 'qetag' };

/** Kodo hashes content in blocks of this many bytes. */
export const QETAG_BLOCK_SIZE = 4 * 1024 * 1024;

const ONE_BLOCK = 0x16;
const MANY_BLOCKS = 0x96;

/** Returns the sha1 of one block of at most 4 MiB, for `qetagOfBlocks`. */
export function hashQetagBlock(block: Uint8Array): Buffer {
  return createHash('sha1').update(block).digest();
}

/** Returns the same, computed off the main thread. The block can be overwritten as soon as this is called. */
export async function hashQetagBlockAside(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await subtle.digest('SHA-1', block));
}

/** Returns the Kodo hash of content from the sha1 of each of its 4 MiB blocks. Empty content has one empty block. */
export function qetagOfBlocks(blocks: readonly Uint8Array[]): Qetag {
  const [only] = blocks;
  if (blocks.length === 1 && only !== undefined) return encode(ONE_BLOCK, only);
  const hash = createHash('sha1');
  for (const block of blocks) hash.update(block);
  return encode(MANY_BLOCKS, hash.digest());
}

function encode(prefix: number, hash: Uint8Array): Qetag {
  return Buffer.concat([Buffer.of(prefix), hash]).toString('base64url') as Qetag;
}
