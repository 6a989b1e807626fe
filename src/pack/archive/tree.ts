import { Failure } from '../../lib/failure.ts';
import type { ArchiveEntry } from './entry.ts';

const FORBIDDEN_CHARACTER = /[\p{Cc}\u2028\u2029\\]/u;
/** Longer names cannot be created on the file systems that packages are unpacked to. */
const NAME_BYTES_LIMIT = 255;
/** Linux takes 4096 for a whole path, and the folder that a package is unpacked to needs some. */
const PATH_BYTES_LIMIT = 2048;

function unusable(entry: { path: string }, message: string, hint?: string): Failure<'ENTRY_UNUSABLE'> {
  return new Failure({
    code: 'ENTRY_UNUSABLE',
    about: `archive entry ${JSON.stringify(entry.path.slice(0, 300))}`,
    message,
    hint,
  });
}

function checkText(entry: ArchiveEntry, text: string, what: string): void {
  if (text === '') throw unusable(entry, `its ${what} is empty`);
  if (FORBIDDEN_CHARACTER.test(text) || !text.isWellFormed()) {
    throw unusable(entry, `its ${what} has a control character, a backslash or broken Unicode`);
  }
  if (text.startsWith('/'))
    throw unusable(entry, `its ${what} is absolute`, 'write it without the first "/"');
}

function checkPath(entry: ArchiveEntry): void {
  checkText(entry, entry.path, 'path');
  if (entry.path === '-') throw unusable(entry, '"sha256sum -c" reads it as standard input', 'rename it');
  if (Buffer.byteLength(entry.path) > PATH_BYTES_LIMIT) {
    throw unusable(entry, `its path has more than ${PATH_BYTES_LIMIT} bytes`);
  }
  for (const part of entry.path.split('/')) {
    if (part === '' || part === '.' || part === '..') {
      throw unusable(
        entry,
        `its path contains the part "${part}"`,
        'write the path without ".", ".." and "//"',
      );
    }
    if (Buffer.byteLength(part) > NAME_BYTES_LIMIT) {
      throw unusable(entry, `a part of its path has more than ${NAME_BYTES_LIMIT} bytes`);
    }
  }
}

function checkTarget(entry: ArchiveEntry, target: string): void {
  checkText(entry, target, 'target');
  const parts = target.split('/');
  const down = parts.findIndex((part) => part !== '..');
  const ups = down < 0 ? parts.length : down;
  // After a name, ".." could lead outside the archive through another link, even if the text looks harmless.
  if (parts.slice(ups).some((part) => part === '..' || part === '.' || part === '')) {
    throw unusable(entry, `its target "${target}" contains "..", "." or "//" after a name`);
  }
  if (ups > entry.path.split('/').length - 1) {
    throw unusable(entry, `its target "${target}" is outside the archive`);
  }
}

function checkEntry(entry: ArchiveEntry): void {
  checkPath(entry);
  if (entry.kind === 'symlink') {
    checkTarget(entry, entry.target);
    return;
  }
  if (!Number.isInteger(entry.mode) || entry.mode < 0 || entry.mode > 0o777) {
    throw unusable(entry, `its mode ${entry.mode} is not between 0 and 0777`);
  }
  if (entry.kind === 'file' && (!Number.isSafeInteger(entry.size) || entry.size < 0)) {
    throw unusable(entry, `its size ${entry.size} is not a valid number of bytes`);
  }
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}

/**
 * Returns a key that is equal for paths that mean one file on systems that ignore case or normalise names (macOS,
 * Windows).
 */
function clashKey(path: string): string {
  return path.normalize('NFKC').toLowerCase().toUpperCase();
}

function sortKey(entry: ArchiveEntry): Buffer {
  return Buffer.from(entry.kind === 'directory' ? `${entry.path}/` : entry.path);
}

/**
 * Returns the entries in the order in which they are written: by the bytes of their paths, those named in `first` (a
 * file, or a directory with all below it) before the others. Adds directories that are only implied, with mode 0755.
 * Throws `ENTRY_UNUSABLE`, which names the entry, for a path that is absolute, leaves the archive, has control
 * characters or clashes with another path.
 */
export function orderEntries(
  entries: readonly ArchiveEntry[],
  first: readonly string[] = [],
): ArchiveEntry[] {
  const byKey = new Map<string, ArchiveEntry>();
  const add = (entry: ArchiveEntry): void => {
    const key = clashKey(entry.path);
    const other = byKey.get(key);
    if (other !== undefined) {
      throw unusable(
        entry,
        other.path === entry.path
          ? 'the archive contains it twice'
          : `it differs from "${other.path}" only in letter case or Unicode form`,
      );
    }
    byKey.set(key, entry);
  };
  for (const entry of entries) {
    checkEntry(entry);
    add(entry);
  }
  for (const entry of entries) {
    for (const path of parentsOf(entry.path)) {
      const parent = byKey.get(clashKey(path));
      if (parent === undefined || parent.path !== path) add({ kind: 'directory', path, mode: 0o755 });
      else if (parent.kind !== 'directory')
        throw unusable(entry, `it is below "${path}", which is a ${parent.kind}`);
    }
  }
  const rank = (path: string): number => {
    const index = first.findIndex((name) => path === name || path.startsWith(`${name}/`));
    return index < 0 ? first.length : index;
  };
  return [...byKey.values()]
    .map((entry) => ({ entry, rank: rank(entry.path), key: sortKey(entry) }))
    .sort((left, right) => left.rank - right.rank || Buffer.compare(left.key, right.key))
    .map(({ entry }) => entry);
}
