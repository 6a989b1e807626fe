import { createHash, type Hash } from 'node:crypto';

/** Kodo hashes objects in blocks of this size, and uploads whose parts have it keep the plain qetag. */
export const QETAG_BLOCK_SIZE = 4 * 1024 * 1024;

const ONE_BLOCK = 0x16;
const MANY_BLOCKS = 0x96;

/**
 * Computes the hash by which Qiniu Kodo knows an object (its `hash` in answers), from bytes given bit by bit: SHA-1 of
 * the content, or of the SHA-1s of its 4 MiB blocks where there is more than one. https://github.com/qiniu/qetag
 */
export class Qetag {
  readonly #blocks: Buffer[] = [];
  #current: Hash = createHash('sha1');
  #length = 0;

  update(bytes: Uint8Array): this {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#length === QETAG_BLOCK_SIZE) this.#endBlock();
      const piece = rest.subarray(0, QETAG_BLOCK_SIZE - this.#length);
      this.#current.update(piece);
      this.#length += piece.length;
      rest = rest.subarray(piece.length);
    }
    return this;
  }

  #endBlock(): void {
    this.#blocks.push(this.#current.digest());
    this.#current = createHash('sha1');
    this.#length = 0;
  }

  /** Ends the computation and gives the 28 characters. */
  digest(): string {
    this.#endBlock();
    const [only, ...others] = this.#blocks;
    const isOne = only !== undefined && others.length === 0;
    const sum = isOne ? only : createHash('sha1').update(Buffer.concat(this.#blocks)).digest();
    return Buffer.concat([Buffer.from([isOne ? ONE_BLOCK : MANY_BLOCKS]), sum]).toString('base64url');
  }
}
