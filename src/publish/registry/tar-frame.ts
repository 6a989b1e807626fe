import { pack } from 'tar-stream';
import type { PackageFile } from '../contract/target.ts';

/** The bytes before and after the content of a package, in a tar archive with that one entry. */
export interface TarFrame {
  readonly before: Buffer;
  readonly after: Buffer;
}

const RECORD = 512;
/** A tar archive ends with two empty records. */
const END = 2 * RECORD;
/** Fixed, so that the same package produces the same archive. */
const MODIFIED = new Date('1980-01-01T00:00:00Z');

/** Returns the frame of a package; sizes over 8 GiB are supported. */
export async function tarFrame({ name, size }: Pick<PackageFile, 'name' | 'size'>): Promise<TarFrame> {
  const archive = pack();
  const entry = archive.entry({ name, size, mode: 0o644, mtime: MODIFIED, uid: 0, gid: 0 });
  // Reading stops at the first byte of content, which marks the end of the header.
  entry.on('error', () => undefined);
  entry.write(Buffer.alloc(1));
  const records: Buffer[] = [];
  for await (const chunk of archive) {
    if (!Buffer.isBuffer(chunk) || chunk.length === 1) break;
    records.push(chunk);
  }
  const padding = (RECORD - (size % RECORD)) % RECORD;
  return { before: Buffer.concat(records), after: Buffer.alloc(padding + END) };
}
