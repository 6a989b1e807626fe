import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, failureCode } from '../../lib/failure.ts';
import { discardBody, type HttpClient } from '../../lib/http/http.ts';
import type { Descriptor } from '../../registry/oci/manifest.ts';
import { requireSpace } from '../archive/disk.ts';
import type { ComponentPlan } from '../plan/plan.ts';
import type { BlobFiles } from './blob-store.ts';
import { openWebFile } from './web-file.ts';

/** What a package needs on disk, as far as it is known before anything is fetched; in bytes. */
export interface SpaceEstimate {
  readonly images: number;
  readonly components: number;
  /** Downloads are compressed already, so a package is about as large as they are. */
  readonly package: number;
  /** Whether the sizes of all components were told. */
  readonly isWhole: boolean;
}

/** Compressing again what was compressed better, headers, and files that are not downloaded. */
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
    // The download will tell what is wrong, with all its attempts.
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Finds out how much is left to fetch, and how large the package will be about. */
export async function estimateSpace(
  wanted: {
    readonly blobs: readonly Pick<Descriptor, 'digest' | 'size'>[];
    readonly blobFiles: BlobFiles;
    readonly components: readonly ComponentPlan[];
    readonly downloads: string;
  },
  http: HttpClient,
  signal: AbortSignal,
): Promise<SpaceEstimate> {
  const blobs = [...new Map(wanted.blobs.map((blob) => [blob.digest, blob])).values()];
  const [missingBlobs, components] = await Promise.all([
    Promise.all(blobs.map(({ digest, size }) => missingOf(wanted.blobFiles(digest), size))),
    Promise.all(
      wanted.components.map(async ({ url, fileName }) => {
        const size = await sizeOnWeb(http, url, signal);
        return {
          size,
          missing: size === undefined ? 0 : await missingOf(join(wanted.downloads, fileName), size),
        };
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

/** Makes sure that downloads and package fit. Throws `DISK_TOO_SMALL`. */
export async function requireRoom(
  estimate: SpaceEstimate,
  folders: { readonly images: string; readonly downloads: string; readonly output: string },
): Promise<void> {
  await requireSpace([
    { folder: folders.images, bytes: estimate.images, purpose: 'the images' },
    { folder: folders.downloads, bytes: estimate.components, purpose: 'the components' },
    { folder: folders.output, bytes: estimate.package, purpose: 'the package' },
  ]);
}
