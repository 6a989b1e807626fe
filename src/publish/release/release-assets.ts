import { type Digest, digestOf } from '../../registry/oci/digest.ts';
import type { PackageFile } from '../contract/target.ts';
import type { FileRange, ReleaseAsset } from './github-releases.ts';
import { formatHeader, type PackagePart } from './release-parts.ts';

/** An asset that a release should have. */
export interface WantedAsset {
  readonly name: string;
  readonly size: number;
  readonly sha256: Digest;
  readonly content: FileRange | Buffer;
}

/** Returns the assets of a package: the package itself, or its parts and a header that describes them. */
export function wantedAssets(file: PackageFile, parts: readonly PackagePart[]): WantedAsset[] {
  const assets: WantedAsset[] = parts.map(({ name, start, end, sha256 }) => ({
    name,
    size: end - start,
    sha256,
    content: { path: file.path, start, end },
  }));
  if (parts.length === 1) return assets;
  // The header is last, so that all parts exist when a client finds it.
  const header = formatHeader(file, parts);
  assets.push({
    name: `${file.name}.parts.json`,
    size: header.length,
    sha256: digestOf(header),
    content: header,
  });
  return assets;
}

/** Returns whether the upload of an asset was completed. */
export function isWhole(asset: ReleaseAsset): boolean {
  return asset.state === 'uploaded';
}

/** Returns whether an asset has the wanted content, by its digest, or by its size on servers older than 2025. */
export function isSame(asset: ReleaseAsset, wanted: WantedAsset): boolean {
  if (!isWhole(asset) || asset.size !== wanted.size) return false;
  return asset.digest === undefined || asset.digest === wanted.sha256;
}

/** Returns whether an asset is one of the wanted ones. */
export function isAmong(asset: ReleaseAsset, wanted: readonly WantedAsset[]): boolean {
  return wanted.some((candidate) => candidate.name === asset.name && isSame(asset, candidate));
}
