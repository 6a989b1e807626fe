import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type TarEntry, TarGzip } from '../../lib/archive/tar-gzip.ts';
import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import type { ByteRange } from '../../registry/registry.ts';
import { damaged, noPackage, type PackageFiles, SMALL_FILE } from './package-files.ts';

/** A file in the archive: its position, and what the first reading found. */
interface ArchivedFile {
  readonly index: number;
  readonly size: number;
  readonly sum: string;
}

/** A position in the archive that is being read. */
interface Cursor {
  readonly archive: TarGzip;
  next: number;
}

/**
 * Each cursor unpacks the archive once, as long as it reads files in order. More of them would cost more than they
 * gain.
 */
const CURSORS = 3;
/** Manifests and configurations are smaller than this; layers seldom are. */
const KEPT_SIZE = 64 * 1024;
/** The most bytes that are kept in all. A file that does not fit is read again. */
const KEPT_IN_ALL = 32 * 1024 * 1024;
/** Far more than the archives of packer have. */
const MOST_FILES = 100_000;
const HINT =
  'give a package built by packer, or the folder that it was unpacked into; if it is one, copy it again';

/**
 * A package as packer writes it. It is read to its end once, which verifies its compression and computes the checksum
 * of each file. Contents are unpacked again when they are sent, and are never on the disk: a reading continues where an
 * earlier one ended if its file comes later.
 */
export class PackageArchive implements PackageFiles {
  readonly about: string;
  readonly limiter = new ConcurrencyLimiter({ start: CURSORS });
  readonly #files = new Map<string, ArchivedFile>();
  readonly #kept = new Map<string, Buffer>();
  readonly #idle: Cursor[] = [];
  readonly #signal: AbortSignal;
  #keptInAll = 0;

  private constructor(file: string, signal: AbortSignal) {
    this.about = file;
    this.#signal = signal;
  }

  /**
   * Reads an archive to its end, and returns it. `signal` is that of the run. Throws `ARCHIVE_UNREADABLE`, and
   * `PACKAGE_UNREADABLE` if it cannot be a package.
   */
  static async read(
    file: string,
    signal: AbortSignal,
    onFile: (path: string) => void = () => undefined,
  ): Promise<PackageArchive> {
    const archive = new PackageArchive(file, signal);
    await archive.#look(onFile);
    return archive;
  }

  position(path: string): number {
    return this.#files.get(path)?.index ?? 0;
  }

  async read(path: string, signal: AbortSignal): Promise<Buffer> {
    const kept = this.#kept.get(path);
    if (kept !== undefined) return kept;
    const { size } = this.#find(path);
    if (size > SMALL_FILE)
      throw damaged(this.about, path, `it has ${size} bytes, which is more than packer reads`);
    const pieces: Buffer[] = [];
    for await (const bytes of await this.open(path, { start: 0, end: size }, signal))
      pieces.push(Buffer.from(bytes));
    return Buffer.concat(pieces);
  }

  async sumOf(path: string): Promise<string> {
    return this.#find(path).sum;
  }

  async open(path: string, range: ByteRange, signal: AbortSignal): Promise<Readable> {
    signal.throwIfAborted();
    const file = this.#find(path);
    return Readable.from(this.#bytesOf(path, file, range), { objectMode: false });
  }

  [Symbol.dispose](): void {
    for (const { archive } of this.#idle.splice(0)) archive.close();
  }

  #find(path: string): ArchivedFile {
    const file = this.#files.get(path);
    if (file === undefined) throw damaged(this.about, path, 'there is no such file');
    return file;
  }

  #openCursor(): Cursor {
    return {
      archive: new TarGzip({ file: this.about, about: this.about, hint: HINT }, this.#signal),
      next: 0,
    };
  }

  async #look(onFile: (path: string) => void): Promise<void> {
    const cursor = this.#openCursor();
    try {
      for (;;) {
        const entry = await cursor.archive.next();
        if (entry === undefined) return;
        const index = cursor.next;
        cursor.next += 1;
        if (cursor.next > MOST_FILES)
          throw noPackage(this.about, `it has more than ${MOST_FILES} files`, HINT);
        if (entry.type !== 'file') continue;
        // An archive that was packed again with tar often has this prefix.
        const path = entry.name.replace(/^(?:\.\/)+/, '');
        if (this.#files.has(path)) throw damaged(this.about, path, 'the package contains it twice');
        this.#files.set(path, {
          index,
          size: entry.size,
          sum: await this.#take(path, entry, cursor.archive),
        });
        onFile(path);
      }
    } finally {
      cursor.archive.close();
    }
  }

  /** Returns the checksum of a file, and keeps its content if it is small. */
  async #take(path: string, entry: TarEntry, archive: TarGzip): Promise<string> {
    const isList = ['SHA256SUMS', 'keel-package.json', 'images/index.json'].includes(path);
    const isSmall = isList ? entry.size <= SMALL_FILE : path.startsWith('images/') && entry.size <= KEPT_SIZE;
    const isKept = isSmall && this.#keptInAll + entry.size <= KEPT_IN_ALL;
    const hash = createHash('sha256');
    const pieces: Uint8Array[] = [];
    for await (const bytes of archive.read(entry)) {
      hash.update(bytes);
      if (isKept) pieces.push(bytes);
    }
    if (isKept) {
      this.#kept.set(path, Buffer.concat(pieces));
      this.#keptInAll += entry.size;
    }
    return hash.digest('hex');
  }

  async *#bytesOf(
    path: string,
    { index, size }: ArchivedFile,
    { start, end }: ByteRange,
  ): AsyncGenerator<Buffer> {
    if (start >= end) return;
    const cursor = this.#cursorBefore(index);
    let isReusable = false;
    try {
      const pieces = cursor.archive.read(await this.#seek(cursor, path, index));
      for (let position = 0; position < end; ) {
        const piece = await pieces.next();
        if (piece.done === true) return;
        const bytes = Buffer.from(piece.value.buffer, piece.value.byteOffset, piece.value.byteLength);
        const wanted = bytes.subarray(Math.max(0, start - position), Math.max(0, end - position));
        position += bytes.length;
        if (wanted.length > 0) yield wanted;
      }
      if (end < size) return;
      // The end of an entry has to be read before the next one is requested.
      while ((await pieces.next()).done !== true);
      isReusable = true;
    } finally {
      if (isReusable && this.#idle.length < CURSORS) this.#idle.push(cursor);
      else cursor.archive.close();
    }
  }

  /** Returns the idle cursor that is nearest before a file, or one at the beginning. */
  #cursorBefore(index: number): Cursor {
    const [nearest] = this.#idle
      .filter(({ next }) => next <= index)
      .toSorted((one, other) => other.next - one.next);
    if (nearest === undefined) return this.#openCursor();
    this.#idle.splice(this.#idle.indexOf(nearest), 1);
    return nearest;
  }

  async #seek(cursor: Cursor, path: string, index: number): Promise<TarEntry> {
    for (;;) {
      const entry = await cursor.archive.next();
      if (entry === undefined) throw damaged(this.about, path, 'it no longer exists');
      cursor.next += 1;
      if (cursor.next > index) return entry;
      await cursor.archive.skip(entry);
    }
  }
}
