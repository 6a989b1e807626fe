import { existsSync, statfsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the time of a measurement. */
export interface Scratch extends AsyncDisposable {
  readonly folder: string;
}

const MEMORY_DISK = '/dev/shm';
/** Source and destination of the full set, and a tool's own files. */
const BYTES_NEEDED = 8 * 1024 ** 3;

/**
 * Has everything that is measured keep its files in memory, where there is room and no TMPDIR says otherwise: what is
 * compared are programs, not how a disk takes what each of them writes. Tells where they are.
 */
export function chooseScratch(): 'memory' | 'disk' {
  if (process.env['TMPDIR'] !== undefined || !existsSync(MEMORY_DISK)) return 'disk';
  const { bavail, bsize } = statfsSync(MEMORY_DISK);
  if (bavail * bsize < BYTES_NEEDED) return 'disk';
  process.env['TMPDIR'] = MEMORY_DISK;
  return 'memory';
}

/** Makes an empty folder; disposing removes it with all that is in it. */
export async function openScratch(): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), 'keel-bench-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
