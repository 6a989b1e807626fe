import { constants, deflateRaw, type ZlibOptions } from 'node:zlib';
import { BLOCK_SIZE, type Block } from './block.ts';
import { looksDense } from './compressed-content.ts';

/** The most that one stored deflate block holds (RFC 1951, 3.2.4). */
const STORED_LIMIT = 0xffff;
const STORED_HEADER = 5;
const PROBE_SIZE = 64 * 1024;
/** If level 1 saves less than this share of a dense block, level 6 does not save much more. */
const WORTHWHILE_SAVING = 0.02;

/** zlib's levels: 0 stores all, 9 is the smallest and slowest. */
export type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

function deflate(bytes: Buffer, options: ZlibOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // A chunk as long as the block: one trip to the thread pool, not one for every 16 KiB.
    deflateRaw(bytes, { chunkSize: BLOCK_SIZE, memLevel: 9, ...options }, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

function storedPieces(data: Buffer): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < data.length; start += STORED_LIMIT) {
    const piece = data.subarray(start, start + STORED_LIMIT);
    const header = Buffer.alloc(STORED_HEADER);
    header.writeUInt16LE(piece.length, 1);
    header.writeUInt16LE(~piece.length & 0xffff, 3);
    pieces.push(header, piece);
  }
  return pieces;
}

async function isIncompressible(block: Block): Promise<boolean> {
  if (!looksDense(block.data)) return false;
  if (block.compressedEntry) return true;
  const sample = block.data.subarray(0, PROBE_SIZE);
  const deflated = await deflate(sample, { level: 1 });
  return deflated.length > sample.length * (1 - WORTHWHILE_SAVING);
}

/**
 * Deflates a block on the thread pool, or stores it if deflating would save nothing. Returns the pieces to write, which
 * may lie in the block's own memory. They end on a byte boundary, so that blocks can be joined into one deflate stream.
 */
export async function deflateBlock(block: Block, level: Level): Promise<readonly Uint8Array[]> {
  if (level === 0 || (await isIncompressible(block))) return storedPieces(block.data);
  const { dictionary } = block;
  return [
    await deflate(block.data, {
      level,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(dictionary.length === 0 ? {} : { dictionary }),
    }),
  ];
}
