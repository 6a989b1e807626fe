import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashQetagBlock, QETAG_BLOCK_SIZE, qetagOfBlocks } from '../../src/lib/qetag.ts';
import type { PackageFile } from '../../src/publish/contract/target.ts';
import { parseDigest } from '../../src/registry/oci/digest.ts';

/** A folder of its own with a package of random content in it; disposing removes it. */
export class PackageFixture {
  readonly folder: string;
  readonly file: PackageFile;
  readonly content: Buffer;

  private constructor(folder: string, file: PackageFile, content: Buffer) {
    this.folder = folder;
    this.file = file;
    this.content = content;
  }

  static async write(name: string, content: number | Buffer): Promise<PackageFixture> {
    const folder = await mkdtemp(join(tmpdir(), 'package-'));
    const bytes = typeof content === 'number' ? randomBytes(content) : content;
    const path = join(folder, name);
    await writeFile(path, bytes);
    const blocks: Buffer[] = [];
    for (let at = 0; at === 0 || at < bytes.length; at += QETAG_BLOCK_SIZE) {
      blocks.push(hashQetagBlock(bytes.subarray(at, at + QETAG_BLOCK_SIZE)));
    }
    const sha256 = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, name);
    const file = { path, name, size: bytes.length, sha256, qetag: qetagOfBlocks(blocks) };
    return new PackageFixture(folder, file, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
