import { BLOCK_SIZE } from './block.ts';
import type { ArchiveEntry } from './entry.ts';
import { paddingAfter, RECORD, tarHeader } from './tar-header.ts';

/** What a block adds at most when it is stored, or deflated in vain: five bytes a 64 KiB, and some to spare. */
const OVERHEAD_PER_BLOCK = 128;
const GZIP_FRAME = 20;

/** Gives the bytes of the tar that holds these entries. */
export function tarSize(entries: readonly ArchiveEntry[]): number {
  const sizes = entries.map((entry) => {
    const content = entry.kind === 'file' ? entry.size : 0;
    return tarHeader(entry).length + content + paddingAfter(content);
  });
  return sizes.reduce((total, size) => total + size, 2 * RECORD);
}

/** Gives the bytes that the `.tar.gz` of these entries has at most, to check for space before it is written. */
export function archiveSizeLimit(entries: readonly ArchiveEntry[]): number {
  const tar = tarSize(entries);
  // A file is cut from its neighbours at most twice, besides the cut after each whole block.
  const blocks = Math.ceil(tar / BLOCK_SIZE) + 2 * entries.length;
  return tar + blocks * OVERHEAD_PER_BLOCK + GZIP_FRAME;
}
