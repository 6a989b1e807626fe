import { gunzipSync } from 'node:zlib';
import { type Manifest, parseManifest } from '../../../src/registry/oci/manifest.ts';
import { bytesContent } from './content.ts';
import type { Storage } from './storage.ts';

/** Returns the layers of an image in a test registry, unpacked. */
function unpackedLayers(storage: Storage, manifest: Manifest): Buffer[] {
  if (manifest.kind === 'index') throw new Error('an index has no layers');
  return manifest.layers.map(({ digest }) => {
    const content = storage.contents.get(digest);
    if (content?.kind !== 'bytes') throw new Error(`${digest} is not there`);
    return gunzipSync(content.bytes);
  });
}

/**
 * Stores what a hostile or a careless mirror makes of a genuine image: its configuration, byte for byte, with layers that
 * `change` makes of the unpacked ones. Returns the manifest.
 */
export function seedOtherLayers(
  storage: Storage,
  repository: string,
  genuine: Manifest,
  tags: readonly string[],
  change: (unpacked: readonly Buffer[]) => readonly Buffer[],
): Manifest {
  const body: { layers: { mediaType: string }[] } = JSON.parse(genuine.bytes.toString('utf8'));
  const mediaType = body.layers[0]?.mediaType;
  const layers = change(unpackedLayers(storage, genuine)).map((bytes) => {
    return { mediaType, digest: storage.putBlob(repository, bytesContent(bytes)), size: bytes.length };
  });
  const bytes = Buffer.from(JSON.stringify({ ...body, layers }));
  storage.putManifest(repository, bytes, genuine.mediaType, tags);
  return parseManifest(bytes, genuine.mediaType, repository);
}
