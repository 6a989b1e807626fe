/** The content of a file in an archive: in memory, in a file, or produced when it is needed. */
type Content =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Without `start` the whole file, whose size must be the entry's; otherwise a slice from there. */
  | { readonly kind: 'file'; readonly path: string; readonly start?: number }
  | { readonly kind: 'stream'; readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>> };

export interface FileEntry {
  readonly kind: 'file';
  /** Relative to the archive's root, with `/` between its parts. */
  readonly path: string;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
  /** In bytes; the content must have exactly this size. */
  readonly size: number;
  readonly content: Content;
}

interface DirectoryEntry {
  readonly kind: 'directory';
  readonly path: string;
  readonly mode: number;
}

interface LinkEntry {
  readonly kind: 'symlink';
  readonly path: string;
  /** Relative to the link's own directory, and inside the archive. */
  readonly target: string;
}

export type ArchiveEntry = FileEntry | DirectoryEntry | LinkEntry;

/** Returns a file entry whose content is in memory; text is written as UTF-8. */
export function bytesEntry(path: string, content: Uint8Array | string, mode = 0o644): FileEntry {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { kind: 'file', path, mode, size: bytes.length, content: { kind: 'bytes', bytes } };
}
