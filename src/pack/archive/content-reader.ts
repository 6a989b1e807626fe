import { type FileHandle, open } from 'node:fs/promises';
import { Failure } from '../../lib/failure.ts';
import type { FileEntry } from './entry.ts';

/** Reads an entry's content into memory piece by piece and returns how many bytes; 0 at the end. */
interface ContentReader {
  read(into: Buffer): Promise<number>;
  close(): Promise<void>;
}

function mismatch(entry: FileEntry, found: string): Failure<'CONTENT_SIZE_MISMATCH'> {
  return new Failure({
    code: 'CONTENT_SIZE_MISMATCH',
    about: `archive entry "${entry.path}"`,
    message: `its declared size is ${entry.size} bytes, but its content has ${found}`,
    hint: 'the file changed, or its download is incomplete: fetch it again',
  });
}

class BytesReader implements ContentReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(entry: FileEntry, bytes: Uint8Array) {
    if (bytes.length !== entry.size) throw mismatch(entry, String(bytes.length));
    this.#bytes = bytes;
  }

  async read(into: Buffer): Promise<number> {
    const piece = this.#bytes.subarray(this.#position, this.#position + into.length);
    into.set(piece);
    this.#position += piece.length;
    return piece.length;
  }

  async close(): Promise<void> {}
}

class FileReader implements ContentReader {
  readonly #entry: FileEntry;
  readonly #handle: FileHandle;
  readonly #start: number;
  #done = 0;

  constructor(entry: FileEntry, handle: FileHandle, start: number) {
    this.#entry = entry;
    this.#handle = handle;
    this.#start = start;
  }

  async read(into: Buffer): Promise<number> {
    const wanted = Math.min(into.length, this.#entry.size - this.#done);
    if (wanted === 0) return 0;
    const { bytesRead } = await this.#handle.read(into, 0, wanted, this.#start + this.#done);
    if (bytesRead === 0) throw mismatch(this.#entry, `only ${this.#done}`);
    this.#done += bytesRead;
    return bytesRead;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

class StreamReader implements ContentReader {
  readonly #entry: FileEntry;
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #done = 0;
  #ended = false;

  constructor(entry: FileEntry, source: AsyncIterable<Uint8Array>) {
    this.#entry = entry;
    this.#source = source[Symbol.asyncIterator]();
  }

  async read(into: Buffer): Promise<number> {
    while (this.#rest.length === 0 && !this.#ended) {
      const next = await this.#source.next();
      if (next.done === true) this.#ended = true;
      else this.#rest = next.value;
    }
    const piece = this.#rest.subarray(0, into.length);
    this.#rest = this.#rest.subarray(piece.length);
    this.#done += piece.length;
    if (this.#done > this.#entry.size) throw mismatch(this.#entry, 'more');
    if (this.#ended && this.#done < this.#entry.size) throw mismatch(this.#entry, `only ${this.#done}`);
    into.set(piece);
    return piece.length;
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#source.return?.();
  }
}

async function openFile(entry: FileEntry, path: string, start: number | undefined): Promise<ContentReader> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    if (start === undefined && size !== entry.size) throw mismatch(entry, String(size));
    return new FileReader(entry, handle, start ?? 0);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Returns a reader of an entry's content. Opening and reading throw `CONTENT_SIZE_MISMATCH`, which names the entry,
 * unless the content has exactly the announced size. A stream that is too long is noticed only at its end.
 */
export async function openContent(entry: FileEntry, signal: AbortSignal): Promise<ContentReader> {
  const { content } = entry;
  if (content.kind === 'bytes') return new BytesReader(entry, content.bytes);
  if (content.kind === 'file') return openFile(entry, content.path, content.start);
  return new StreamReader(entry, await content.open(signal));
}
