import { Failure } from '../../lib/failure.ts';
import type { Descriptor, Image } from '../../registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import { type ArchiveEntry, bytesEntry, type FileEntry } from '../archive/entry.ts';
import { type BlobFiles, blobPath } from '../fetch/blob-store.ts';
import type { PulledImage } from '../fetch/image-lookup.ts';

/** One manifest with all names that lead to it, sorted. */
interface NamedManifest {
  readonly manifest: Image;
  readonly names: readonly string[];
}

/**
 * Returns the full names of an image, without digest: `docker.io/library/x:tag`. Loaders accept no digest in a name.
 * They give an image that is named only by its tag the day of its import as its name, or no name.
 */
function namesOf(image: PulledImage): string[] {
  return [image.upstream, image.pulledBy].flatMap(({ host, repository, tag }) =>
    tag === undefined ? [] : [formatReference({ host, repository, tag })],
  );
}

function nameManifests(images: readonly PulledImage[]): NamedManifest[] {
  const byName = new Map<string, Image>();
  for (const image of images) {
    for (const name of namesOf(image)) {
      const other = byName.get(name);
      if (other !== undefined && other.digest !== image.manifest.digest) {
        throw new Failure({
          code: 'IMAGE_NAME_TAKEN',
          about: name,
          message: `the package would contain two images with this name, ${other.digest} and ${image.manifest.digest}`,
          hint: 'list the image once, or give one of the two another tag',
        });
      }
      byName.set(name, image.manifest);
    }
  }
  const sorted = [...byName].sort(([left], [right]) => (left < right ? -1 : 1));
  return [...Map.groupBy(sorted, ([, manifest]) => manifest.digest).values()].flatMap((named) => {
    const manifest = named[0]?.[1];
    return manifest === undefined ? [] : [{ manifest, names: named.map(([name]) => name) }];
  });
}

/** Returns all names under which loaders find images, sorted. Throws `IMAGE_NAME_TAKEN`. */
export function packedNames(images: readonly PulledImage[]): string[] {
  return nameManifests(images)
    .flatMap(({ names }) => names)
    .toSorted();
}

function blobEntry(blob: Pick<Descriptor, 'digest' | 'size'>, path: string, files: BlobFiles): FileEntry {
  return {
    kind: 'file',
    path,
    mode: 0o644,
    size: blob.size,
    content: { kind: 'file', path: files(blob.digest) },
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/**
 * Returns the row of `index.json` for one name. It has no `platform`: loaders on a machine of another platform would
 * skip the image. The full name is in both annotations, for containerd and for others. The media type is the manifest's
 * own: readers trust either, and an image that is listed under another type cannot be pushed. skopeo finds no image of
 * Docker's format by name. https://github.com/containers/skopeo/issues/1975
 */
function indexRow({ mediaType, digest, bytes }: Image, name: string): unknown {
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name };
  return { mediaType, digest, size: bytes.length, annotations };
}

function indexOf(named: readonly NamedManifest[]): unknown {
  const manifests = named.flatMap(({ manifest, names }) => names.map((name) => indexRow(manifest, name)));
  return { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests };
}

/** Returns Docker's table, by which `docker load` and podman find images. */
function dockerTable(named: readonly NamedManifest[], pathOf: (blob: Descriptor) => string): unknown {
  return named.map(({ manifest, names }) => ({
    Config: pathOf(manifest.config),
    RepoTags: names,
    Layers: manifest.layers.map(pathOf),
  }));
}

/**
 * Returns the entries of one OCI image layout (image-spec 1.1, image-layout.md) with all images under `root`, each blob
 * once, and Docker's `manifest.json` next to it, so that containerd, docker, podman and skopeo all read it. The same
 * images in any order produce the same entries. Throws `IMAGE_NAME_TAKEN`.
 */
export function layoutEntries(
  images: readonly PulledImage[],
  files: BlobFiles,
  root = 'images',
): FileEntry[] {
  const named = nameManifests(images);
  const blobs = new Map<string, FileEntry>();
  for (const { manifest } of named) {
    const path = `${root}/${blobPath(manifest.digest)}`;
    blobs.set(path, bytesEntry(path, manifest.bytes));
    for (const blob of [manifest.config, ...manifest.layers]) {
      const blobEntryPath = `${root}/${blobPath(blob.digest)}`;
      blobs.set(blobEntryPath, blobEntry(blob, blobEntryPath, files));
    }
  }
  return [
    bytesEntry(`${root}/oci-layout`, json({ imageLayoutVersion: '1.0.0' })),
    bytesEntry(`${root}/index.json`, json(indexOf(named))),
    bytesEntry(`${root}/manifest.json`, json(dockerTable(named, (blob) => blobPath(blob.digest)))),
    ...blobs.values(),
  ];
}

/**
 * Returns the entries of one image as `docker save` archives it: `manifest.json`, the configuration, and the layers,
 * here in the form in which they were pulled. `docker load`, containerd, podman and skopeo all read it.
 */
export function dockerArchiveEntries(image: PulledImage, files: BlobFiles): ArchiveEntry[] {
  const named = nameManifests([image]);
  const { config, layers } = image.manifest;
  const pathOf = (blob: Descriptor): string => {
    const hex = blob.digest.slice(blob.digest.indexOf(':') + 1);
    return blob.digest === config.digest ? `${hex}.json` : `${hex}.tar.gz`;
  };
  const blobs = new Map(
    [config, ...layers].map((blob) => [blob.digest, blobEntry(blob, pathOf(blob), files)]),
  );
  return [bytesEntry('manifest.json', json(dockerTable(named, pathOf))), ...blobs.values()];
}
