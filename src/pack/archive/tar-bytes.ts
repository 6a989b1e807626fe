import { BlockMemories } from './block.ts';
import type { ArchiveEntry } from './entry.ts';
import { tarBlocks } from './tar-blocks.ts';

/** Returns the plain tar of entries that stand in order, in pieces of up to 1 MiB; each is good until the next is asked for. */
export async function* tarBytes(
  entries: readonly ArchiveEntry[],
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const memories = new BlockMemories(2);
  for await (const block of tarBlocks(entries, memories, signal)) {
    yield block.data;
    memories.release(block.memory);
  }
}
