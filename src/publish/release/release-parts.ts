import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Digest, digestHex, parseDigest } from '../../registry/oci/digest.ts';
import { fileChanged } from '../contract/package-file.ts';
import type { PackageFile } from '../contract/target.ts';

/** One asset of a package: all of it or a range; `end` is the first byte after it. */
export interface PackagePart {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly sha256: Digest;
}

/** GitHub accepts assets below 2 GiB; this leaves a margin. */
export const PART_SIZE = 1900 * 1024 * 1024;

/** Returns the ranges to split a file of `size` bytes into; a single one if it fits. */
function splitSize(size: number, partSize: number): { start: number; end: number }[] {
  const count = Math.max(1, Math.ceil(size / partSize));
  return Array.from({ length: count }, (_, index) => ({
    start: index * partSize,
    end: Math.min(size, (index + 1) * partSize),
  }));
}

/** Returns whether an asset belongs to a package, whole or split, by its name. */
export function isPartOf(packageName: string, assetName: string): boolean {
  if (!assetName.startsWith(packageName)) return false;
  return /^(?:|\.part\d{3}|\.parts\.json)$/.test(assetName.slice(packageName.length));
}

/**
 * Returns the parts of a package. A package that needs several is read once to compute their digests before the upload.
 * Throws `FILE_CHANGED` or the signal's reason.
 */
export async function planParts(
  file: PackageFile,
  partSize: number,
  signal: AbortSignal,
): Promise<PackagePart[]> {
  const ranges = splitSize(file.size, partSize);
  if (ranges.length === 1) return [{ name: file.name, start: 0, end: file.size, sha256: file.sha256 }];
  const whole = createHash('sha256');
  const parts: PackagePart[] = [];
  for (const [index, { start, end }] of ranges.entries()) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file.path, { start, end: end - 1, highWaterMark: 1 << 20 })) {
      signal.throwIfAborted();
      hash.update(chunk);
      whole.update(chunk);
    }
    const name = `${file.name}.part${String(index).padStart(3, '0')}`;
    parts.push({ name, start, end, sha256: parseDigest(`sha256:${hash.digest('hex')}`, name) });
  }
  if (`sha256:${whole.digest('hex')}` !== file.sha256) throw fileChanged(file.name);
  return parts;
}

/** Returns the JSON header of a split package, from which a program can download, verify and join it. */
export function formatHeader(file: PackageFile, parts: readonly PackagePart[]): Buffer {
  const header = {
    schema: 'keel-package-parts/1',
    name: file.name,
    size: file.size,
    sha256: digestHex(file.sha256),
    parts: parts.map(({ name, start, end, sha256 }) => ({
      name,
      size: end - start,
      sha256: digestHex(sha256),
    })),
  };
  return Buffer.from(`${JSON.stringify(header, null, 2)}\n`);
}
