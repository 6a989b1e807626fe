import { stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { UpstreamMirror } from '../../config/upstream-mirror.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { discardBody, type HttpClient } from '../../lib/http/http.ts';
import { formatSize } from '../../lib/text/size.ts';
import type { Descriptor } from '../../registry/oci/manifest.ts';
import { openWebFile } from '../../upstream/fetch/web-file.ts';
import type { ComponentPlan } from '../plan/plan.ts';
import type { BlobFiles } from './blob-store.ts';

/** The bytes that a package needs on disk, as far as they are known before anything is fetched. */
interface SpaceEstimate {
  readonly images: number;
  readonly components: number;
  /** Downloads are already compressed, so a package is about as large as all of them. */
  readonly package: number;
  /** Whether the sizes of all components are known. */
  readonly isWhole: boolean;
}

/**
 * Makes room for content that was compressed better than packer does, for headers, and for files that are not
 * downloaded.
 */
const PACKAGE_OVERHEAD = 1.02;

async function sizeThere(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (failureCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function missingOf(file: string, size: number): Promise<number> {
  const [whole, part] = await Promise.all([sizeThere(file), sizeThere(`${file}.part`)]);
  return whole === size ? 0 : Math.max(0, size - part);
}

async function sizeOnWeb(http: HttpClient, url: URL, signal: AbortSignal): Promise<number | undefined> {
  try {
    const answer = await openWebFile({ http, method: 'HEAD', url, expected: [200], signal });
    discardBody(answer);
    const length = Number(answer.headers['content-length'] ?? Number.NaN);
    return Number.isSafeInteger(length) ? length : undefined;
  } catch (error) {
    signal.throwIfAborted();
    // The download reports what is wrong, after all its attempts.
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Returns how much is left to fetch, and about how large the package will be. */
export async function estimateSpace(
  wanted: {
    readonly blobs: readonly Pick<Descriptor, 'digest' | 'size'>[];
    readonly blobFiles: BlobFiles;
    readonly components: readonly ComponentPlan[];
    readonly downloads: string;
    /** Mirrors of upstream's files; upstream itself if undefined. */
    readonly mirror?: UpstreamMirror | undefined;
  },
  http: HttpClient,
  signal: AbortSignal,
): Promise<SpaceEstimate> {
  const blobs = [...new Map(wanted.blobs.map((blob) => [blob.digest, blob])).values()];
  const [missingBlobs, components] = await Promise.all([
    Promise.all(blobs.map(({ digest, size }) => missingOf(wanted.blobFiles(digest), size))),
    Promise.all(
      wanted.components.map(async ({ url, fileName, check }) => {
        const file = join(wanted.downloads, fileName);
        // With a lock or a pin, a file that is there needs no request: only a complete file has this name.
        const there = check.kind === 'pin' ? await sizeThere(file) : 0;
        const size = there > 0 ? there : await sizeOnWeb(http, wanted.mirror?.map(url) ?? url, signal);
        return { size, missing: size === undefined ? 0 : await missingOf(file, size) };
      }),
    ),
  ]);
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  const whole = sum(blobs.map(({ size }) => size)) + sum(components.map(({ size }) => size ?? 0));
  return {
    images: sum(missingBlobs),
    components: sum(components.map(({ missing }) => missing)),
    package: Math.ceil(whole * PACKAGE_OVERHEAD),
    isWhole: components.every(({ size }) => size !== undefined),
  };
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
 * Makes sure that there is room for all that will be written. Needs on one file system add up, and folders need not
 * exist yet. Throws `DISK_TOO_SMALL`, which says where, how much is needed and how much is free.
 */
export async function requireRoom(
  estimate: Omit<SpaceEstimate, 'isWhole'>,
  folders: { readonly images: string; readonly downloads: string; readonly output: string },
): Promise<void> {
  const needs = [
    { folder: folders.images, bytes: estimate.images, purpose: 'the images' },
    { folder: folders.downloads, bytes: estimate.components, purpose: 'the components' },
    { folder: folders.output, bytes: estimate.package, purpose: 'the package' },
  ];
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
      message: `this file system needs ${formatSize(needed)} (${parts.join(', ')}), but has ${formatSize(free)} free`,
      hint: 'free some space, or choose folders on a larger file system',
    });
  }
}
