import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { Failure } from '../../lib/failure.ts';
import { isDiskFull } from '../../lib/file-error.ts';
import { type Qetag, qetagOfBlocks } from '../../lib/qetag.ts';
import { BlockMemories } from './block.ts';
import { deflateBlock, type Level } from './deflate-block.ts';
import { DigestThread } from './digest-thread.ts';
import type { ArchiveEntry } from './entry.ts';
import { inOrder } from './in-order.ts';
import { draftOf, removeLeftovers } from './leftovers.ts';
import { tarBlocks } from './tar-blocks.ts';
import { tarSize } from './tar-header.ts';
import { orderEntries } from './tree.ts';

/** One member (RFC 1952): deflate, no name, no time, Unix. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
/** An empty last block, which ends the deflate stream. */
const DEFLATE_END = Buffer.from([0x03, 0x00]);
/** A fifth quicker than 6, for half a percent of a usual package's size. */
const DEFAULT_LEVEL: Level = 5;
/** Blocks that are being written or hashed, in addition to those being read and deflated. */
const BLOCKS_BEHIND = 4;

interface ArchiveOptions {
  readonly entries: readonly ArchiveEntry[];
  /** Paths that come first, in this order; see `orderEntries`. */
  readonly first?: readonly string[] | undefined;
  /** The path of the archive, which appears there complete or not at all. */
  readonly output: string;
  readonly level?: Level | undefined;
  /** How many blocks of 1 MiB are under way at once; it does not change the result. */
  readonly concurrency?: number | undefined;
  readonly signal: AbortSignal;
  /** Called with the bytes of the tar that are done, and with how many there will be. */
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

interface WrittenArchive {
  /** In bytes, of the `.tar.gz`. */
  readonly size: number;
  /** Of the `.tar.gz`, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Of the tar inside; unlike the other it does not depend on the version of Node. */
  readonly tarSha256: string;
  /** Of the `.tar.gz`, as Qiniu Kodo computes it. */
  readonly qetag: Qetag;
}

async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<number> {
  let rest = pieces;
  let total = 0;
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev([...rest]);
    total += bytesWritten;
    let whole = 0;
    while (whole < rest.length && bytesWritten >= (rest[whole]?.length ?? 0)) {
      bytesWritten -= rest[whole]?.length ?? 0;
      whole += 1;
    }
    const [partial, ...others] = rest.slice(whole);
    rest = partial === undefined ? [] : [partial.subarray(bytesWritten), ...others];
  }
  return total;
}

function gzipTrailer(crc32: number, size: number): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  return trailer;
}

async function writeGzip(file: string, options: ArchiveOptions): Promise<WrittenArchive> {
  const { level = DEFAULT_LEVEL, concurrency = availableParallelism() + 2, onProgress } = options;
  const entries = orderEntries(options.entries, options.first);
  const total = tarSize(entries);
  const memories = new BlockMemories(concurrency + BLOCKS_BEHIND);
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  signal.addEventListener('abort', () => memories.close(signal.reason), { once: true });
  const fail = (reason: unknown): void => failed.abort(reason);

  await using tarDigest = new DigestThread();
  await using fileDigest = new DigestThread();
  await using handle = await open(file, 'wx');
  let size = await writeAll(handle, [GZIP_HEADER]);
  let done = 0;
  try {
    const deflated = inOrder(tarBlocks(entries, memories, signal), concurrency, async (block) => {
      const hashed = tarDigest.addBlock(block);
      hashed.catch(fail);
      return { block, hashed, pieces: await deflateBlock(block, level) };
    });
    for await (const { block, hashed, pieces } of deflated) {
      signal.throwIfAborted();
      size += await writeAll(handle, pieces);
      hashed.then(() => memories.release(block.memory), fail);
      fileDigest.fileGrew(file, size).catch(fail);
      done += block.data.length;
      onProgress?.(done, total);
    }
    const tar = await tarDigest.endBlocks();
    size += await writeAll(handle, [DEFLATE_END, gzipTrailer(tar.crc32, done)]);
    const { sha256, qetagBlocks } = await fileDigest.endFile(file, size);
    signal.throwIfAborted();
    return { size, sha256, tarSha256: tar.sha256, qetag: qetagOfBlocks(qetagBlocks) };
  } catch (error) {
    fail(error);
    throw error;
  }
}

function explained(error: unknown, output: string): unknown {
  if (error instanceof Failure) return error;
  if (isDiskFull(error)) {
    return new Failure({
      code: 'DISK_FULL',
      about: output,
      message: 'the disk became full while packer wrote the archive',
      hint: `free some space on the file system of ${dirname(output)}, or choose another folder`,
      cause: error,
    });
  }
  return error;
}

/**
 * Writes the entries as a `.tar.gz` and returns its size and sums: one gzip member of blocks that are deflated in
 * parallel, or stored if they are already compressed. The same entries produce the same bytes on one version of Node,
 * whatever the concurrency. The archive is written under another name next to the output and renamed when it is
 * complete. A failure or abort leaves nothing, and the next run removes what a killed one left. Throws
 * `ENTRY_UNUSABLE`, `CONTENT_SIZE_MISMATCH`, `DISK_FULL`, and the errors of reading content.
 */
export async function writeArchive(options: ArchiveOptions): Promise<WrittenArchive> {
  options.signal.throwIfAborted();
  const { output } = options;
  const partial = draftOf(output);
  try {
    await removeLeftovers(output);
    const written = await writeGzip(partial, options);
    await rename(partial, output);
    return written;
  } catch (error) {
    await rm(partial, { force: true });
    throw explained(error, output);
  }
}
