import type { FileEntry } from '../archive/entry.ts';
import { tarBytes } from '../archive/tar-blocks.ts';
import { tarSize } from '../archive/tar-header.ts';
import { orderEntries } from '../archive/tree.ts';
import type { BlobFiles } from '../fetch/blob-store.ts';
import type { PulledImage } from '../fetch/image-lookup.ts';
import { dockerArchiveEntries } from './layout.ts';

/** Returns the name of an image's own archive, `kube-proxy-v1.36.0.tar`. */
function archiveName({ upstream }: PulledImage): string {
  const name = upstream.repository.slice(upstream.repository.lastIndexOf('/') + 1);
  return upstream.tag === undefined ? `${name}.tar` : `${name}-${upstream.tag}.tar`;
}

/** Returns one tar for each image under `root`, as `docker save` writes it. None of them is staged on disk. */
export function dockerArchives(
  images: readonly PulledImage[],
  files: BlobFiles,
  root = 'images',
): FileEntry[] {
  return images.map((image) => {
    const entries = orderEntries(dockerArchiveEntries(image, files), ['manifest.json']);
    return {
      kind: 'file',
      path: `${root}/${archiveName(image)}`,
      mode: 0o644,
      size: tarSize(entries),
      content: { kind: 'stream', open: async (signal) => tarBytes(entries, signal) },
    };
  });
}
