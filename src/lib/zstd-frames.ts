// https://www.rfc-editor.org/rfc/rfc8878#section-3.1
const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const RLE_BLOCK = 1;
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
/** More frames than any layer has. Tools write one for each file or chunk of a file. */
const FRAMES_LIMIT = 1_000_000;
const GATHERED_SIZE = 64 * 1024;

/** The data is not zstd, or has too many frames. The code looks like those of Node. */
class FrameError extends Error {
  readonly code = 'ZSTD_error_frames';
}

/** Reads the bytes of a stream in the lengths that the caller requests. */
class ByteQueue {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#held.length === 0) {
      const { done, value } = await this.#source.next();
      if (done === true) return true;
      this.#held = value;
    }
    return false;
  }

  /** Returns at most so many bytes, and at least one. Throws at the end. */
  async some(most: number): Promise<Buffer> {
    if (await this.isAtEnd()) throw new FrameError('it ends within a frame');
    const bytes = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(bytes.length);
    return bytes;
  }

  /** Returns exactly so many bytes. The number must be small. */
  async exactly(count: number): Promise<Buffer> {
    if (this.#held.length >= count) {
      const bytes = this.#held.subarray(0, count);
      this.#held = this.#held.subarray(count);
      return bytes;
    }
    const pieces: Buffer[] = [];
    for (let missing = count; missing > 0; ) {
      const piece = await this.some(missing);
      pieces.push(piece);
      missing -= piece.length;
    }
    return Buffer.concat(pieces);
  }
}

/** Pieces that were not passed on yet: passing one on costs a turn of a thread, and blocks may be empty. */
class Gathered {
  #pieces: Buffer[] = [];
  #size = 0;

  get isEnough(): boolean {
    return this.#size >= GATHERED_SIZE;
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  take(): Buffer {
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#size = 0;
    return whole;
  }
}

function isSkippable(magic: number): boolean {
  return (magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC;
}

/** Returns how many bytes follow the first one of a frame's header. */
function headerRest(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = descriptor >> 6;
  const sizeBytes = contentSize === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[contentSize] ?? 0);
  return (isSingleSegment ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0) + sizeBytes;
}

/**
 * Returns the bytes of zstd data in pieces, without skippable frames. No piece crosses the end of a frame: within a piece,
 * Node's decompressor ignores everything after a frame, and it reads the next frame from the next piece. Throws if the
 * frames are malformed, or more than a million.
 */
export async function* zstdFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const queue = new ByteQueue(source);
  for (let frames = 0; !(await queue.isAtEnd()); frames += 1) {
    if (frames >= FRAMES_LIMIT) throw new FrameError(`it has more than ${FRAMES_LIMIT} frames`);
    const magic = await queue.exactly(4);
    const kind = magic.readUInt32LE(0);
    if (isSkippable(kind)) {
      let left = (await queue.exactly(4)).readUInt32LE(0);
      while (left > 0) left -= (await queue.some(left)).length;
      continue;
    }
    if (kind !== MAGIC) throw new FrameError('other data follows a frame');
    const descriptor = await queue.exactly(1);
    const flags = descriptor.readUInt8(0);
    const gathered = new Gathered();
    gathered.add(Buffer.concat([magic, descriptor, await queue.exactly(headerRest(flags))]));
    for (let isLast = false; !isLast; ) {
      const header = await queue.exactly(3);
      const block = header.readUIntLE(0, 3);
      isLast = (block & 1) !== 0;
      gathered.add(header);
      let left = ((block >> 1) & 3) === RLE_BLOCK ? 1 : block >> 3;
      while (left > 0) {
        const piece = await queue.some(left);
        left -= piece.length;
        gathered.add(piece);
      }
      if (gathered.isEnough) yield gathered.take();
    }
    if ((flags & 4) !== 0) gathered.add(await queue.exactly(4));
    yield gathered.take();
  }
}
