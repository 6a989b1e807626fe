import { createHash } from 'node:crypto';
import { type Digest, digestHex, digestOf, parseDigest } from '../../registry/oci/digest.ts';
import { bytesEntry, type FileEntry } from '../archive/entry.ts';
import { type BlobFiles, blobPath } from '../fetch/blob-store.ts';
import type { FetchedComponent } from '../fetch/component-fetch.ts';
import { blobsOf, type CheckedImage } from '../fetch/image-fetch.ts';
import type { PackagePlan } from '../plan/plan.ts';
import type { ImageFormat } from '../settings.ts';
import { componentFiles } from './component-files.ts';
import { dockerArchives } from './docker-archive.ts';
import { layoutEntries } from './layout.ts';
import type { OverlayFile } from './overlay.ts';
import { describeContents, type PackageContents, type UnpackedComponent } from './package-contents.ts';
import { formatResolvedVersions } from './resolved-versions.ts';
import { formatSbom } from './sbom.ts';

/** Everything that a package is made from, fetched and checked. */
interface Ingredients {
  readonly plan: PackagePlan;
  readonly images: readonly CheckedImage[];
  readonly components: readonly FetchedComponent[];
  readonly overlay: readonly OverlayFile[];
  readonly imageFormat: ImageFormat;
  readonly blobFiles: BlobFiles;
}

/** The tree of a package, ready to be archived. */
export interface PackageTree {
  readonly entries: readonly FileEntry[];
  /** Paths that come first in the archive. */
  readonly first: readonly string[];
  readonly contents: PackageContents;
  /** The digests of all files that are neither of an image nor of a component, by path. */
  readonly ownFiles: ReadonlyMap<string, Digest>;
}

/** The files that say what the rest is come first in the archive. */
const FIRST = [
  'keel-package.json',
  'SHA256SUMS',
  'versions.json',
  'sbom.spdx.json',
  'install.sh',
  'images/oci-layout',
  'images/index.json',
  'images/manifest.json',
  'images',
  'kubernetes',
  'runtime',
];

const MANIFEST_SCHEMA = 1;

interface SummedFile {
  readonly entry: FileEntry;
  readonly sha256: Digest;
}

async function digestOfEntry({ content, path }: FileEntry, signal: AbortSignal): Promise<Digest> {
  if (content.kind === 'bytes') return digestOf(content.bytes);
  if (content.kind === 'file') throw new TypeError(`the digest of ${path} should be known`);
  const hash = createHash('sha256');
  for await (const piece of await content.open(signal)) hash.update(piece);
  return parseDigest(`sha256:${hash.digest('hex')}`, path);
}

/** Returns the files of the images with their digests; those of blobs are known. */
async function imageFiles(
  { images, imageFormat, blobFiles }: Ingredients,
  signal: AbortSignal,
): Promise<SummedFile[]> {
  const pulled = images.map(({ image }) => image);
  const entries =
    imageFormat === 'oci' ? layoutEntries(pulled, blobFiles) : dockerArchives(pulled, blobFiles);
  const blobs = new Map(
    pulled.flatMap((image) => blobsOf(image)).map(({ digest }) => [`images/${blobPath(digest)}`, digest]),
  );
  const files: SummedFile[] = [];
  for (const entry of entries) {
    files.push({ entry, sha256: blobs.get(entry.path) ?? (await digestOfEntry(entry, signal)) });
  }
  return files;
}

/** Lists the archives one after the other, as each is read as fast as it can be unpacked. */
async function unpack(
  components: readonly FetchedComponent[],
  signal: AbortSignal,
): Promise<UnpackedComponent[]> {
  const unpacked: UnpackedComponent[] = [];
  for (const component of components) {
    unpacked.push({ component, files: await componentFiles(component, signal) });
  }
  return unpacked;
}

function summed(path: string, text: string): SummedFile {
  const entry = bytesEntry(path, text);
  return { entry, sha256: digestOf(Buffer.from(text)) };
}

/**
 * Returns when the newest image was made. No other time goes into a package: this one is the same whenever it is
 * packed.
 */
function newestOf(images: readonly CheckedImage[]): Date {
  return new Date(Math.max(0, ...images.map(({ image }) => image.created ?? 0)));
}

/**
 * Returns the whole tree of a package without writing any of it: the list of what it holds, its sums, the resolved
 * versions.json, the SBOM, the installer and all files. The same ingredients give the same entries. Throws like
 * `componentFiles` and `layoutEntries`.
 */
export async function assemble(ingredients: Ingredients, signal: AbortSignal): Promise<PackageTree> {
  const { plan, images, components, overlay } = ingredients;
  const unpacked = await unpack(components, signal);
  const contents = describeContents(plan, images, unpacked, overlay);
  const metadata = [
    summed(
      'keel-package.json',
      `${JSON.stringify({ schema: MANIFEST_SCHEMA, ...contents }, undefined, 2)}\n`,
    ),
    summed('versions.json', formatResolvedVersions(plan, images, unpacked)),
    summed('sbom.spdx.json', formatSbom(contents, newestOf(images))),
  ];
  const layout = await imageFiles(ingredients, signal);
  const own = [...metadata, ...overlay];
  const files = [...own, ...layout, ...unpacked.flatMap(({ files: unpackedFiles }) => unpackedFiles)];
  const sums = files
    .map(({ entry, sha256 }) => `${digestHex(sha256)}  ${entry.path}\n`)
    .toSorted((one, other) => (one.slice(66) < other.slice(66) ? -1 : 1));
  return {
    entries: [...files.map(({ entry }) => entry), bytesEntry('SHA256SUMS', sums.join(''))],
    first: FIRST,
    contents,
    ownFiles: new Map(own.map(({ entry, sha256 }) => [entry.path, sha256])),
  };
}
