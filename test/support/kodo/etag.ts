import { createHash, type Hash } from 'node:crypto';

const BLOCK = 4 * 1024 * 1024;

function encode(prefix: number, hash: Buffer): string {
  const bytes = Buffer.concat([Buffer.of(prefix), hash]);
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function sha1(...parts: Buffer[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** What Kodo computes over bytes that pass: sha1 of each 4 MiB block, MD5 and size of the whole. */
export class ContentHash {
  readonly blocks: Buffer[] = [];
  size = 0;
  readonly #md5 = createHash('md5');
  #block: Hash = createHash('sha1');
  #filled = 0;

  update(bytes: Buffer): void {
    this.size += bytes.length;
    this.#md5.update(bytes);
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + BLOCK - this.#filled);
      this.#block.update(piece);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === BLOCK) this.#closeBlock();
    }
  }

  /** Returns the MD5 in hexadecimal digits; nothing can be added afterwards. */
  finish(): { md5: string; etag: string } {
    if (this.#filled > 0 || this.blocks.length === 0) this.#closeBlock();
    return { md5: this.#md5.digest('hex'), etag: etagOfBlocks(this.blocks) };
  }

  #closeBlock(): void {
    this.blocks.push(this.#block.digest());
    this.#block = createHash('sha1');
    this.#filled = 0;
  }
}

/** Returns the etag (version 1) of content by the sha1 of its 4 MiB blocks. */
export function etagOfBlocks(blocks: readonly Buffer[]): string {
  const [first] = blocks;
  if (blocks.length === 1 && first !== undefined) return encode(0x16, first);
  return encode(0x96, sha1(...blocks));
}

/** Returns the etag of an object made of parts: version 1 where all but the last have 4 MiB, else version 2. */
export function etagOfParts(parts: readonly ContentHash[]): string {
  if (parts.slice(0, -1).every((part) => part.size === BLOCK) && (parts.at(-1)?.size ?? 0) <= BLOCK) {
    return etagOfBlocks(parts.flatMap((part) => part.blocks));
  }
  const etags = parts.map((part) => Buffer.from(etagOfBlocks(part.blocks), 'base64url').subarray(1));
  return encode(0x9e, sha1(...etags));
}
