import { BLOCK_SIZE, type Block, BlockMemories, type BlockMemory, WINDOW_SIZE } from './block.ts';
import { beginsCompressed } from './compressed-content.ts';
import { openContent } from './content-reader.ts';
import type { ArchiveEntry, FileEntry } from './entry.ts';
import { entryHeader, paddingAfter, RECORD } from './tar-header.ts';

/** Smaller files share blocks with their neighbours, whatever they contain: blocks of their own would cost more. */
const OWN_BLOCK_SIZE = 64 * 1024;
const END_OF_TAR = Buffer.alloc(2 * RECORD);
const NOTHING = Buffer.alloc(0);

// tar-stream's pack copies all content into chunks of its own and hides where an entry begins. Here content is read
// directly into the memory that is compressed, which costs half as much, and blocks are cut where entries that are
// already compressed begin and end. The tests read the result with tar-stream's extract, among others.
class BlockCutter {
  readonly #memories: BlockMemories;
  #memory: BlockMemory | undefined;
  #length = 0;
  #window: Buffer = NOTHING;
  compressedEntry = false;

  constructor(memories: BlockMemories) {
    this.#memories = memories;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  get isFull(): boolean {
    return this.#length === BLOCK_SIZE;
  }

  /** The bytes of the current block so far. */
  get filled(): Buffer {
    return this.#memory?.bytes.subarray(WINDOW_SIZE, WINDOW_SIZE + this.#length) ?? NOTHING;
  }

  /** The place for what comes next. */
  async space(): Promise<Buffer> {
    this.#memory ??= await this.#memories.take();
    return this.#memory.bytes.subarray(WINDOW_SIZE + this.#length, WINDOW_SIZE + BLOCK_SIZE);
  }

  /** Counts bytes that were put into `space`. */
  advance(count: number): void {
    this.#length += count;
  }

  /** Yields the current block unless it is empty, and begins another one. */
  *cut(): Generator<Block> {
    const memory = this.#memory;
    if (memory === undefined || this.#length === 0) return;
    const data = this.filled;
    const dictionary = memory.bytes.subarray(WINDOW_SIZE - this.#window.length, WINDOW_SIZE);
    dictionary.set(this.#window);
    // Compressed content holds nothing worth referring to.
    this.#window = this.compressedEntry ? NOTHING : Buffer.from(data.subarray(-WINDOW_SIZE));
    this.#memory = undefined;
    this.#length = 0;
    yield { memory, data, dictionary, compressedEntry: this.compressedEntry };
  }
}

async function* putBytes(cutter: BlockCutter, bytes: Buffer): AsyncGenerator<Block> {
  let rest = bytes;
  while (rest.length > 0) {
    const count = rest.copy(await cutter.space());
    cutter.advance(count);
    rest = rest.subarray(count);
    if (cutter.isFull) yield* cutter.cut();
  }
}

async function* putContent(
  cutter: BlockCutter,
  entry: FileEntry,
  signal: AbortSignal,
): AsyncGenerator<Block> {
  const reader = await openContent(entry, signal);
  try {
    if (entry.size >= OWN_BLOCK_SIZE) yield* cutter.cut();
    let isFirst = entry.size >= OWN_BLOCK_SIZE;
    let count = await reader.read(await cutter.space());
    while (count > 0) {
      signal.throwIfAborted();
      cutter.advance(count);
      if (cutter.isFull) {
        if (isFirst) cutter.compressedEntry = beginsCompressed(cutter.filled);
        isFirst = false;
        yield* cutter.cut();
      }
      count = await reader.read(await cutter.space());
    }
    if (isFirst) cutter.compressedEntry = beginsCompressed(cutter.filled);
    if (cutter.compressedEntry) yield* cutter.cut();
    cutter.compressedEntry = false;
  } finally {
    await reader.close();
  }
}

/**
 * Returns the tar of ordered entries in blocks of up to 1 MiB, which lie in the given memories; the receiver of a block
 * releases its memory. Only the entries determine where blocks are cut.
 */
export async function* tarBlocks(
  entries: readonly ArchiveEntry[],
  memories: BlockMemories,
  signal: AbortSignal,
): AsyncGenerator<Block> {
  const cutter = new BlockCutter(memories);
  for (const entry of entries) {
    yield* putBytes(cutter, entryHeader(entry));
    if (entry.kind !== 'file') continue;
    yield* putContent(cutter, entry, signal);
    yield* putBytes(cutter, Buffer.alloc(paddingAfter(entry.size)));
  }
  yield* putBytes(cutter, END_OF_TAR);
  yield* cutter.cut();
}

/**
 * Returns the plain tar of ordered entries in pieces of up to 1 MiB. Each piece is valid until the next is requested.
 */
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
