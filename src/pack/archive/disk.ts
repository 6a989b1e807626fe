import { stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Failure, failureCode } from '../../lib/failure.ts';
import { formatSize } from '../../lib/text/size.ts';

/** Bytes that will be written into a folder, and what for: `the downloads`, `the package`. */
export interface SpaceNeed {
  readonly folder: string;
  readonly bytes: number;
  readonly purpose: string;
}

async function nearestExisting(folder: string): Promise<{ path: string; device: number }> {
  try {
    return { path: folder, device: (await stat(folder)).dev };
  } catch (error) {
    const parent = dirname(folder);
    if (failureCode(error) !== 'ENOENT' || parent === folder) throw error;
    return nearestExisting(parent);
  }
}

/**
 * Checks that there is room for everything that will be written, where needs on one file system add up and folders
 * need not exist yet. Throws `DISK_TOO_SMALL`, which says where, how much is needed and how much is free.
 */
export async function requireSpace(needs: readonly SpaceNeed[]): Promise<void> {
  const places = await Promise.all(
    needs.map(async (need) => ({ need, ...(await nearestExisting(resolve(need.folder))) })),
  );
  for (const [, together] of Map.groupBy(places, (place) => place.device)) {
    const [first] = together;
    if (first === undefined) continue;
    const { bavail, bsize } = await statfs(first.path);
    const needed = together.reduce((total, { need }) => total + need.bytes, 0);
    const free = bavail * bsize;
    if (needed <= free) continue;
    const parts = together.map(
      ({ need }) => `${formatSize(need.bytes)} for ${need.purpose} in ${need.folder}`,
    );
    throw new Failure({
      code: 'DISK_TOO_SMALL',
      about: first.need.folder,
      message: `${formatSize(needed)} are needed on this file system (${parts.join(', ')}), but ${formatSize(free)} are free`,
      hint: 'free some space there, or choose folders on a larger file system',
    });
  }
}
