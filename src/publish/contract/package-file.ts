import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from '../../lib/failure.ts';
import { explainFileError } from '../../lib/file-error.ts';
import { hashQetagBlockAside, QETAG_BLOCK_SIZE, qetagOfBlocks } from '../../lib/qetag.ts';
import { parseDigest } from '../../registry/oci/digest.ts';
import type { PackageFile } from './target.ts';

const BLOCKS_ASIDE = 3;

/** Returns the size and hashes of a package, which it reads once. Throws `PACKAGE_UNREADABLE`. */
export async function measurePackage(path: string, signal: AbortSignal): Promise<PackageFile> {
  try {
    // Opening a pipe that no program writes to would block, and only a kill would end this process.
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (!(await file.stat()).isFile()) throw new Error('it is not a file');
    const whole = createHash('sha256');
    const blocks: Promise<Uint8Array>[] = [];
    const buffer = Buffer.allocUnsafeSlow(QETAG_BLOCK_SIZE);
    let size = 0;
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await readFully(file, buffer, size);
      if (bytesRead === 0 && size > 0) break;
      const block = buffer.subarray(0, bytesRead);
      blocks.push(hashQetagBlockAside(block));
      whole.update(block);
      // Bounds the memory: each hash in progress holds a copy of its block.
      await blocks.at(-BLOCKS_ASIDE);
      size += bytesRead;
      if (bytesRead < QETAG_BLOCK_SIZE) break;
    }
    const sha256 = parseDigest(`sha256:${whole.digest('hex')}`, path);
    return { path, name: basename(path), size, sha256, qetag: qetagOfBlocks(await Promise.all(blocks)) };
  } catch (cause) {
    signal.throwIfAborted();
    const message = explainFileError(cause);
    const hint = 'set --pkg-uri to the path of a package';
    throw new Failure({ code: 'PACKAGE_UNREADABLE', fault: 'usage', about: path, message, hint, cause });
  }
}

async function readFully(
  file: {
    read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  },
  buffer: Buffer,
  position: number,
): Promise<{ bytesRead: number }> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return { bytesRead: filled };
}

/** Returns the failure for a package that changed between being hashed and being sent. */
export function fileChanged(name: string): Failure<'FILE_CHANGED'> {
  return new Failure({
    code: 'FILE_CHANGED',
    about: name,
    message: 'the file changed during publishing',
    hint: 'publish it again when no other process writes to it',
  });
}
