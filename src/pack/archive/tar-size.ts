import type { ArchiveEntry } from './entry.ts';
import { paddingAfter, RECORD, tarHeader } from './tar-header.ts';

/** Returns the bytes of the tar that holds these entries. */
export function tarSize(entries: readonly ArchiveEntry[]): number {
  const sizes = entries.map((entry) => {
    const content = entry.kind === 'file' ? entry.size : 0;
    return tarHeader(entry).length + content + paddingAfter(content);
  });
  return sizes.reduce((total, size) => total + size, 2 * RECORD);
}
