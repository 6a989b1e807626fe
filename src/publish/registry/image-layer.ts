import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { BlobSource } from '../../registry/blob-source.ts';
import { type Digest, parseDigest } from '../../registry/oci/digest.ts';
import { fileChanged } from '../target/package-file.ts';
import type { PackageFile } from '../target/target.ts';

/** A layer that holds a package: what it hashes to and where its bytes come from. */
export interface PackageLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly source: BlobSource;
}

const TAR_RECORD = 512;
/** Fixed, so that the same package gives the same layer. */
const MODIFIED = new Date('1980-01-01T00:00:00Z');
/** A tar archive ends with two empty records. */
const TAR_END = 2 * TAR_RECORD;

/** Returns the layer that is the package itself, for an OCI artifact. */
export function plainLayer(file: PackageFile): PackageLayer {
  const { path, size, sha256, name } = file;
  return {
    digest: sha256,
    size,
    source: {
      about: name,
      open: async (_descriptor, signal, range) =>
        readFile(path, range?.start ?? 0, range?.end ?? size, signal),
    },
  };
}

/**
 * Returns the layer that is a tar archive with the package at its root, for an image. Nothing is written to disk; the
 * package is read once to know the digest. Throws `FILE_CHANGED` or the signal's reason.
 */
export async function tarLayer(file: PackageFile, signal: AbortSignal): Promise<PackageLayer> {
  const header = await tarHeader(file);
  const padding = ((TAR_RECORD - (file.size % TAR_RECORD)) % TAR_RECORD) + TAR_END;
  const end = Buffer.alloc(padding);
  const whole = createHash('sha256').update(header);
  const content = createHash('sha256');
  for await (const chunk of readFile(file.path, 0, file.size)) {
    signal.throwIfAborted();
    whole.update(chunk);
    content.update(chunk);
  }
  if (`sha256:${content.digest('hex')}` !== file.sha256) throw fileChanged(file.name);
  const digest = parseDigest(`sha256:${whole.update(end).digest('hex')}`, file.name);
  const size = header.length + file.size + padding;
  const source: BlobSource = {
    about: file.name,
    open: async (_descriptor, stop, range) =>
      Readable.from(slices(header, file, end, range?.start ?? 0, range?.end ?? size, stop)),
  };
  return { digest, size, source };
}

/** Returns what stands before a package's content in a tar archive, of any size. */
export async function tarHeader(file: Pick<PackageFile, 'name' | 'size'>): Promise<Buffer> {
  const archive = pack();
  const entry = archive.entry({
    name: file.name,
    size: file.size,
    mode: 0o644,
    mtime: MODIFIED,
    uid: 0,
    gid: 0,
  });
  // The archive is left after its first byte of content, which marks the end of the header.
  entry.on('error', () => undefined);
  entry.write(Buffer.alloc(1));
  const records: Buffer[] = [];
  for await (const chunk of archive) {
    if (!Buffer.isBuffer(chunk) || chunk.length === 1) break;
    records.push(chunk);
  }
  return Buffer.concat(records);
}

async function* slices(
  header: Buffer,
  file: PackageFile,
  end: Buffer,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const contentEnd = header.length + file.size;
  if (from < header.length) yield header.subarray(from, Math.min(to, header.length));
  const start = Math.max(from, header.length) - header.length;
  const stop = Math.min(to, contentEnd) - header.length;
  if (start < stop) yield* readFile(file.path, start, stop, signal);
  if (to > contentEnd) yield end.subarray(Math.max(from, contentEnd) - contentEnd, to - contentEnd);
}

/** With a signal, its abort breaks the stream with an AbortError, not with the reason. */
function readFile(path: string, start: number, end: number, signal?: AbortSignal): Readable {
  if (end <= start) return Readable.from([]);
  return createReadStream(path, { start, end: end - 1, signal, highWaterMark: 256 * 1024 });
}
