import { digestHex, digestOf } from '../../registry/oci/digest.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import type { FileEntry } from '../archive/entry.ts';
import { tarBytes } from '../archive/tar-blocks.ts';
import { tarSize } from '../archive/tar-header.ts';
import { orderEntries } from '../archive/tree.ts';
import type { BlobFiles } from '../fetch/blob-store.ts';
import type { PulledImage } from '../fetch/image-lookup.ts';
import { dockerArchiveEntries, packedNames } from './layout.ts';

/**
 * Returns the possible names of an image's own archive, best first: `kube-proxy-v1.36.0`; its whole name, if another
 * image has that one too; and last a name that is unique on every file system. No repository and no tag contains a `+`.
 */
function archiveNames({ upstream }: PulledImage): readonly string[] {
  const { repository, tag } = upstream;
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const whole = formatReference(upstream);
  const readable = whole.replace(/[^A-Za-z0-9._-]/g, '+');
  const sum = digestHex(digestOf(Buffer.from(whole))).slice(0, 12);
  return [tag === undefined ? name : `${name}-${tag}`, readable, `${readable}+${sum}`];
}

/** Returns how often each value occurs, ignoring case. */
function tally(values: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    [...Map.groupBy(values, (value) => value.toLowerCase())].map(([key, all]) => [key, all.length]),
  );
}

/** Returns the path of each image's own archive, all of them different. */
function archivePaths(images: readonly PulledImage[], root: string): ReadonlyMap<PulledImage, string> {
  const wanted = images.map((image) => ({ image, names: archiveNames(image) }));
  const taken = tally(wanted.flatMap(({ names }) => names));
  return new Map(
    wanted.map(({ image, names }) => {
      const free = names.find((name) => taken.get(name.toLowerCase()) === 1);
      return [image, `${root}/${free ?? names.at(-1)}.tar`];
    }),
  );
}

/**
 * Returns all names under which loaders find images, each with the path of its archive. Throws `IMAGE_NAME_TAKEN`.
 */
export function archivedNames(images: readonly PulledImage[], root = 'images'): Map<string, string> {
  const paths = archivePaths(images, root);
  const names = new Map<string, string>();
  for (const name of packedNames(images)) {
    for (const [image, path] of paths) if (packedNames([image]).includes(name)) names.set(name, path);
  }
  return names;
}

/** Returns one tar for each image under `root`, as `docker save` writes it. None of them is staged on disk. */
export function dockerArchives(
  images: readonly PulledImage[],
  files: BlobFiles,
  root = 'images',
): FileEntry[] {
  return [...archivePaths(images, root)].map(([image, path]) => {
    const entries = orderEntries(dockerArchiveEntries(image, files), ['manifest.json']);
    return {
      kind: 'file',
      path,
      mode: 0o644,
      size: tarSize(entries),
      content: { kind: 'stream', open: async (signal) => tarBytes(entries, signal) },
    };
  });
}
