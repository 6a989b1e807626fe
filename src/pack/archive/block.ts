/** How much of the tar is compressed at once. */
export const BLOCK_SIZE = 1024 * 1024;
/** How far back deflate can refer (RFC 1951, 2). */
export const WINDOW_SIZE = 32 * 1024;

/** Memory for one block, shared with the thread that hashes it. */
export interface BlockMemory {
  /** Room for the window that precedes the block, then for the block. */
  readonly bytes: Buffer;
}

/** A piece of the tar that is compressed on its own. */
export interface Block {
  readonly memory: BlockMemory;
  /** The tar's bytes. */
  readonly data: Buffer;
  /** The bytes just before it in the tar, if they can help the compression. */
  readonly dictionary: Buffer;
  /** Whether it belongs to an entry whose first bytes are those of a compressed format. */
  readonly compressedEntry: boolean;
}

interface Waiting {
  readonly resolve: (memory: BlockMemory) => void;
  readonly reject: (reason: unknown) => void;
}

/** A fixed number of block memories that are reused, so that memory does not grow and reading waits for writing. */
export class BlockMemories {
  readonly #free: BlockMemory[] = [];
  #waiting: Waiting[] = [];
  #unmade: number;
  #closed: { readonly reason: unknown } | undefined;

  constructor(count: number) {
    this.#unmade = count;
  }

  /** Returns a free memory, waiting for one if necessary. Throws the reason once they are closed. */
  take(): Promise<BlockMemory> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed.reason);
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#unmade > 0) {
      this.#unmade -= 1;
      return Promise.resolve({ bytes: Buffer.from(new SharedArrayBuffer(WINDOW_SIZE + BLOCK_SIZE)) });
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Takes back a memory that nothing reads any more. */
  release(memory: BlockMemory): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(memory);
    else next.resolve(memory);
  }

  /** Ends all waiting for memory with a reason, so that no reader hangs after a failure. */
  close(reason: unknown): void {
    this.#closed = { reason };
    for (const waiting of this.#waiting) waiting.reject(reason);
    this.#waiting = [];
  }
}
