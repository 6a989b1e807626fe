import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ArchiveEntry } from '../src/pack/archive/entry.ts';
import { writeArchive } from '../src/pack/archive/write-archive.ts';

// The process that `bench/archive.ts` measures: writes the archive of a package, with its sums, from the folder given
// first into the file given second.

const [folder = '', output = ''] = process.argv.slice(2);
const found = await readdir(folder, { recursive: true, withFileTypes: true });
const entries: ArchiveEntry[] = [];
for (const item of found.filter((one) => one.isFile())) {
  const file = join(item.parentPath, item.name);
  const { size } = await stat(file);
  const path = relative(folder, file);
  entries.push({ kind: 'file', path, mode: 0o755, size, content: { kind: 'file', path: file } });
}
await writeArchive({ entries, output, signal: new AbortController().signal });
