import { createHash } from 'node:crypto';
import { type TarEntry, TarGzip } from '../../lib/archive/tar-gzip.ts';
import { Failure } from '../../lib/failure.ts';
import { formatSize } from '../../lib/text/size.ts';
import { type Digest, parseDigest } from '../../registry/oci/digest.ts';
import type { FileEntry } from '../archive/entry.ts';
import type { FetchedComponent } from '../fetch/component-fetch.ts';
import type { Placement } from '../plan/plan.ts';

/** A file of the package, with its digest for the list of checksums. */
export interface TreeFile {
  readonly entry: FileEntry;
  readonly sha256: Digest;
  /** The name in the versions.json of the component that it comes from. */
  readonly component: string;
}

/** One file of an archive that belongs in the package. */
interface ArchivedFile {
  /** Its position among all entries of the archive. */
  readonly index: number;
  /** Its path within the folder of its component. */
  readonly name: string;
  readonly size: number;
  readonly isExecutable: boolean;
  readonly sha256: Digest;
}

/** A component that was fetched as an archive. */
interface FetchedArchive {
  readonly file: string;
  /** For messages. */
  readonly about: string;
  readonly placement: Placement & { readonly kind: 'archive' };
}

interface ArchiveLimits {
  /** Of all its files together, unpacked, in bytes. */
  readonly unpackedSize: number;
  readonly entries: number;
}

const DEFAULT_LIMITS: ArchiveLimits = { unpackedSize: 8 * 1024 ** 3, entries: 20_000 };
const PROGRAM = 0o755;
const DATA = 0o644;

function refuse(about: string, message: string): never {
  throw new Failure({
    code: 'ARCHIVE_UNSAFE',
    about,
    message,
    hint: 'this is not the archive that upstream publishes; do not use it, or pack it unchanged with a "path" that does not end with /',
  });
}

/** Returns the parts of an entry's name without leading "./"; refuses names that lead elsewhere. */
function nameParts(entry: TarEntry, about: string): string[] {
  const shown = JSON.stringify(entry.name.slice(0, 200));
  if (entry.name.startsWith('/') || /^[A-Za-z]:/.test(entry.name))
    refuse(about, `it contains an absolute path, ${shown}`);
  if (/[\p{Cc}\\]/u.test(entry.name))
    refuse(about, `it contains a name with a control character or backslash, ${shown}`);
  const parts = entry.name.split('/').filter((part) => part !== '.' && part !== '');
  if (parts.includes('..')) refuse(about, `it contains a path that leads out of it, ${shown}`);
  return parts;
}

/** Returns the name of an entry in the package; undefined for one that is not wanted. */
function wantedName(path: string, placement: FetchedArchive['placement']): string | undefined {
  if (!path.startsWith(placement.strip)) return undefined;
  const name = path.slice(placement.strip.length);
  return placement.only === undefined ? name : placement.only.get(name);
}

function openArchive(file: string, about: string, signal: AbortSignal): TarGzip {
  const hint =
    'if it is not an archive, set a "path" that does not end with /, so that it is packed unchanged';
  return new TarGzip({ file, about, hint }, signal);
}

async function hashBody(archive: TarGzip, entry: TarEntry): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const bytes of archive.read(entry)) hash.update(bytes);
  return parseDigest(`sha256:${hash.digest('hex')}`, entry.name);
}

/**
 * The entries of an archive that were read so far. Refuses archives beyond the limits, and two entries with one path.
 */
class Inventory {
  readonly files: ArchivedFile[] = [];
  readonly #about: string;
  readonly #limits: ArchiveLimits;
  readonly #seen = new Set<string>();
  #size = 0;

  constructor(about: string, limits: ArchiveLimits) {
    this.#about = about;
    this.#limits = limits;
  }

  admit(entry: TarEntry, path: string, index: number): void {
    this.#size += entry.size;
    if (index >= this.#limits.entries)
      refuse(this.#about, `it contains more than ${this.#limits.entries} entries`);
    if (this.#size > this.#limits.unpackedSize) {
      refuse(this.#about, `it unpacks to more than ${formatSize(this.#limits.unpackedSize)}`);
    }
    if (entry.type === 'directory') return;
    const key = path.normalize('NFKC').toLowerCase();
    if (this.#seen.has(key))
      refuse(this.#about, `it contains two entries for ${JSON.stringify(path.slice(0, 200))}`);
    this.#seen.add(key);
  }

  requireWanted(placement: FetchedArchive['placement']): void {
    const found = new Set(this.files.map(({ name }) => name));
    const missing = [...(placement.only?.values() ?? [])].filter((name) => !found.has(name));
    // Releases differ (etcd has etcdutl only since 3.5), so one of the wanted files is enough.
    if (this.files.length > 0 && missing.length < (placement.only?.size ?? 1)) return;
    const wanted = missing.length > 0 ? missing.join(', ') : `any file under ${placement.strip || 'its top'}`;
    throw new Failure({
      code: 'ARCHIVE_INCOMPLETE',
      about: this.#about,
      message: `it does not contain ${wanted}, only ${[...this.#seen].slice(0, 10).join(', ') || 'no files'}`,
      hint: 'check the address and the tag',
    });
  }
}

/** Reads a tar.gz once and returns its files that belong in the package, hashed. Throws like `componentFiles`. */
async function listArchive(
  { file, about, placement }: FetchedArchive,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<ArchivedFile[]> {
  const archive = openArchive(file, about, signal);
  const inventory = new Inventory(about, limits);
  try {
    for (let index = 0; ; index += 1) {
      const entry = await archive.next();
      if (entry === undefined) break;
      const path = nameParts(entry, about).join('/');
      inventory.admit(entry, path, index);
      const name = entry.type === 'directory' ? undefined : wantedName(path, placement);
      if (name === undefined || name === '') {
        await archive.skip(entry);
        continue;
      }
      if (entry.type !== 'file' && entry.type !== 'contiguous-file') {
        refuse(about, `${JSON.stringify(path.slice(0, 200))} is a ${entry.type}, but only files are allowed`);
      }
      const { size, isExecutable } = entry;
      inventory.files.push({ index, name, size, isExecutable, sha256: await hashBody(archive, entry) });
    }
  } finally {
    archive.close();
  }
  inventory.requireWanted(placement);
  return inventory.files;
}

/** A position in an archive that is being read. */
interface Cursor {
  readonly archive: TarGzip;
  next: number;
}

/**
 * The contents of an archive's files, which can be read repeatedly. Nothing is kept: a file after the last one is
 * reached by reading on from there, an earlier file by unpacking from the start.
 */
class ArchiveContents {
  readonly #file: string;
  readonly #about: string;
  readonly #unread: Set<number>;
  #idle: Cursor | undefined;

  constructor({ file, about }: FetchedArchive, files: readonly ArchivedFile[]) {
    this.#file = file;
    this.#about = about;
    this.#unread = new Set(files.map(({ index }) => index));
  }

  /** Returns the bytes of a file. Throws `ARCHIVE_CHANGED` if they are not those that were hashed. */
  async *read(wanted: ArchivedFile, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const cursor = this.#take(wanted.index, signal);
    let isWhole = false;
    try {
      const hash = createHash('sha256');
      for await (const bytes of cursor.archive.read(await this.#seek(cursor, wanted))) {
        hash.update(bytes);
        yield bytes;
      }
      if (`sha256:${hash.digest('hex')}` !== wanted.sha256) throw this.#changed(wanted);
      isWhole = true;
    } finally {
      this.#unread.delete(wanted.index);
      if (isWhole && this.#unread.size > 0 && this.#idle === undefined) this.#idle = cursor;
      else cursor.archive.close();
      if (this.#unread.size === 0) this.#dropIdle();
    }
  }

  #take(index: number, signal: AbortSignal): Cursor {
    const idle = this.#idle;
    if (idle !== undefined && idle.next <= index) {
      this.#idle = undefined;
      return idle;
    }
    this.#dropIdle();
    return { archive: openArchive(this.#file, this.#about, signal), next: 0 };
  }

  async #seek(cursor: Cursor, wanted: ArchivedFile): Promise<TarEntry> {
    for (;;) {
      const entry = await cursor.archive.next();
      if (entry === undefined) throw this.#changed(wanted);
      cursor.next += 1;
      if (cursor.next > wanted.index) return entry;
      await cursor.archive.skip(entry);
    }
  }

  #dropIdle(): void {
    this.#idle?.archive.close();
    this.#idle = undefined;
  }

  #changed(wanted: ArchivedFile): Failure<'ARCHIVE_CHANGED'> {
    return new Failure({
      code: 'ARCHIVE_CHANGED',
      about: this.#about,
      message: `${wanted.name} changed during the run`,
      hint: 'another process changes the download folder while packer runs; stop it and try again',
    });
  }
}

/**
 * Returns the files that a fetched component puts into the package: the download itself, or the files of its archive.
 * Archives are unpacked twice, here to hash them and again when the package is written, and never onto the disk.
 * Owners, times and modes are the package's own. Throws `ARCHIVE_UNSAFE` for paths that lead elsewhere, links and
 * devices among the wanted files, two entries with one path (also if only their case differs) and archives beyond the
 * limits; `ARCHIVE_INCOMPLETE` if a wanted file is missing, `ARCHIVE_UNREADABLE`, or the signal's reason.
 */
export async function componentFiles(
  component: FetchedComponent,
  signal: AbortSignal,
  limits: ArchiveLimits = DEFAULT_LIMITS,
): Promise<TreeFile[]> {
  const { file, size, sha256, plan } = component;
  const { placement, name } = plan;
  if (placement.kind === 'file') {
    const mode = placement.executable ? PROGRAM : DATA;
    const entry: FileEntry = {
      kind: 'file',
      path: placement.path,
      mode,
      size,
      content: { kind: 'file', path: file },
    };
    return [{ entry, sha256, component: name }];
  }
  const archive = { file, about: `${name} ${plan.tag}`, placement };
  const files = await listArchive(archive, limits, signal);
  const contents = new ArchiveContents(archive, files);
  return files.map((archived) => ({
    entry: {
      kind: 'file',
      path: `${placement.folder}/${archived.name}`,
      mode: archived.isExecutable ? PROGRAM : DATA,
      size: archived.size,
      content: { kind: 'stream', open: async (opened) => contents.read(archived, opened) },
    },
    sha256: archived.sha256,
    component: name,
  }));
}
