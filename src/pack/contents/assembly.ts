import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Digest, digestAlgorithm, digestHex, digestOf, parseDigest } from '../../registry/oci/digest.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import { bytesEntry, type FileEntry } from '../archive/entry.ts';
import type { FetchedAddon } from '../fetch/addon-fetch.ts';
import { type BlobFiles, blobPath } from '../fetch/blob-store.ts';
import type { FetchedComponent } from '../fetch/component-fetch.ts';
import { blobsOf, type CheckedImage } from '../fetch/image-fetch.ts';
import { UnpackingAllowance, unpackedSize } from '../fetch/unpacked-layer.ts';
import { addonPath } from '../plan/known-addon.ts';
import { CONTROL_PLANE, packedKubeadmImage } from '../plan/kubeadm-image.ts';
import type { PackagePlan } from '../plan/plan.ts';
import type { ImageFormat } from '../settings.ts';
import { componentFiles } from './component-files.ts';
import { archivedNames, dockerArchives } from './docker-archive.ts';
import { installLists } from './install-lists.ts';
import { layoutEntries, packedNames } from './layout.ts';
import { CONTAINERD_PROGRAM, type OverlayFile, overlayValues } from './overlay.ts';
import { describeContents, type PackageContents, type UnpackedComponent } from './package-contents.ts';
import { formatResolvedVersions } from './resolved-versions.ts';
import { formatSbom } from './sbom.ts';

/** Everything that a package is made from, fetched and checked. */
interface Ingredients {
  readonly plan: PackagePlan;
  readonly images: readonly CheckedImage[];
  readonly components: readonly FetchedComponent[];
  readonly addons: readonly FetchedAddon[];
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

/** The files that describe the rest; they come first in the archive. */
const FIRST = [
  'keel-package.json',
  'SHA256SUMS',
  'versions.json',
  'sbom.spdx.json',
  'install.sh',
  'install',
  'images/oci-layout',
  'images/index.json',
  'images/manifest.json',
  'images',
  'kubernetes',
  'runtime',
];

const MANIFEST_SCHEMA = 1;

/** Layers that do not state their unpacked size are unpacked to count it, up to this many bytes all together. */
const COUNTED_LIMIT = 8 * 1024 ** 3;

interface SummedFile {
  readonly entry: FileEntry;
  readonly sha256: Digest;
}

async function digestOfEntry({ content, path }: FileEntry, signal: AbortSignal): Promise<Digest> {
  if (content.kind === 'bytes') return digestOf(content.bytes);
  const pieces =
    content.kind === 'file' ? createReadStream(content.path, { signal }) : await content.open(signal);
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return parseDigest(`sha256:${hash.digest('hex')}`, path);
}

/** Returns the files of the images with their digests; those of most blobs are already known. */
async function imageFiles(
  { images, imageFormat, blobFiles }: Ingredients,
  signal: AbortSignal,
): Promise<SummedFile[]> {
  const pulled = images.map(({ image }) => image);
  const entries =
    imageFormat === 'oci' ? layoutEntries(pulled, blobFiles) : dockerArchives(pulled, blobFiles);
  // A registry may list a blob by a digest of another algorithm.
  const blobs = new Map(
    pulled
      .flatMap((image) => blobsOf(image))
      .filter(({ digest }) => digestAlgorithm(digest) === 'sha256')
      .map(({ digest }) => [`images/${blobPath(digest)}`, digest]),
  );
  const files: SummedFile[] = [];
  for (const entry of entries) {
    files.push({ entry, sha256: blobs.get(entry.path) ?? (await digestOfEntry(entry, signal)) });
  }
  return files;
}

/** Lists the archives one after the other, because each is read as fast as it can be unpacked. */
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

/** Returns how many bytes all images unpack to, counting shared layers once. */
async function imagesSize({ images, blobFiles }: Ingredients, signal: AbortSignal): Promise<number> {
  const layers = new Set(images.flatMap(({ image }) => image.manifest.layers.map(({ digest }) => digest)));
  const allowance = new UnpackingAllowance(COUNTED_LIMIT);
  let size = 0;
  for (const digest of layers) size += await unpackedSize(blobFiles(digest), { allowance, signal });
  return size;
}

/** Returns the lists of what install.sh installs. */
async function listsOf(
  ingredients: Ingredients,
  unpacked: readonly UnpackedComponent[],
  signal: AbortSignal,
): Promise<SummedFile[]> {
  const { plan, images, addons, overlay, imageFormat } = ingredients;
  const files = [...overlay, ...unpacked.flatMap(({ files: unpackedFiles }) => unpackedFiles)];
  const pulled = images.map(({ image }) => image);
  const runtime = unpacked.find((one) => one.files.some(({ entry }) => entry.path === CONTAINERD_PROGRAM));
  const lists = installLists({
    files: files.map(({ entry }) => entry),
    images:
      imageFormat === 'oci'
        ? new Map(packedNames(pulled).map((name) => [name, undefined]))
        : archivedNames(pulled),
    addons: addons.map(({ plan: { name }, manifest }) => {
      return { name, manifest: addonPath(name), podNetwork: manifest.podNetwork?.range };
    }),
    settings: {
      kubernetes: plan.kubernetes,
      arch: plan.arch,
      pauseImage: overlayValues(plan).pauseImage,
      kubeadmImages: new Map(
        CONTROL_PLANE.flatMap((name): [string, string][] => {
          const packed = packedKubeadmImage(plan, name);
          return packed === undefined ? [] : [[name, formatReference(packed.upstream)]];
        }),
      ),
      containerd: runtime?.component.plan.tag,
      imagesSize: await imagesSize(ingredients, signal),
    },
  });
  return lists.map(([path, text]) => summed(path, text));
}

/**
 * Returns when the newest image was built. A package contains no other time, because this one is the same whenever it
 * is packed.
 */
function newestOf(images: readonly CheckedImage[]): Date {
  return new Date(Math.max(0, ...images.map(({ image }) => image.created ?? 0)));
}

/**
 * Returns the whole tree of a package without writing any of it: the list of its contents, its checksums, the resolved
 * versions.json, the SBOM, the installer with its lists and all files. The same ingredients produce the same entries.
 * Throws like `componentFiles` and `layoutEntries`.
 */
export async function assemble(ingredients: Ingredients, signal: AbortSignal): Promise<PackageTree> {
  const { plan, images, components, addons, overlay } = ingredients;
  const unpacked = await unpack(components, signal);
  const manifests = addons.map(({ plan: { name }, manifest }) => summed(addonPath(name), manifest.packed));
  const added = [...overlay, ...manifests, ...(await listsOf(ingredients, unpacked, signal))];
  const contents = describeContents(plan, images, unpacked, { addons, files: added });
  const metadata = [
    summed(
      'keel-package.json',
      `${JSON.stringify({ schema: MANIFEST_SCHEMA, ...contents }, undefined, 2)}\n`,
    ),
    summed('versions.json', formatResolvedVersions(plan, images, unpacked, addons)),
    summed('sbom.spdx.json', formatSbom(contents, newestOf(images))),
  ];
  const layout = await imageFiles(ingredients, signal);
  const own = [...metadata, ...added];
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
