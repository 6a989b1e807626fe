import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { BlobSource } from '../../registry/blob/blob-source.ts';
import { digestOf } from '../../registry/oci/digest.ts';
import { type Descriptor, type Manifest, parseManifest } from '../../registry/oci/manifest.ts';
import { CONTENT_TYPE, type ManifestMediaType, MEDIA_TYPE } from '../../registry/oci/media-type.ts';

/** A blob of the trial image. */
interface ProbeBlob {
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
}

/** One family of formats: an image and an index with that image alone. */
interface ProbeFamily {
  readonly name: 'OCI' | 'Docker';
  readonly image: Manifest;
  readonly index: Manifest;
}

/** A minimal image in both families, with the same blobs. */
export interface ProbeImage {
  readonly blobs: readonly ProbeBlob[];
  readonly families: readonly ProbeFamily[];
}

const PLATFORM = { os: 'linux', architecture: 'amd64' } as const;

/**
 * Returns the image that shows what a registry accepts. It is always the same, so that images which a registry does
 * not delete do not add up. Its layer is unlike any other, so that deleting it is safe.
 */
export async function makeProbeImage(): Promise<ProbeImage> {
  const archive = pack();
  archive.entry({ name: 'keel-pkg-doctor', mtime: new Date(0) }, 'left by synctl doctor; may be deleted\n');
  archive.finalize();
  const tar = await buffer(archive);
  const layer = gzipSync(tar);
  const configuration = Buffer.from(
    JSON.stringify({
      ...PLATFORM,
      config: { Labels: { 'io.github.keel-pkg': 'doctor' } },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
      history: [{ created_by: 'synctl doctor' }],
    }),
  );
  return {
    blobs: [blobOf(configuration), blobOf(layer)],
    families: [
      makeFamily('OCI', configuration, layer, {
        image: MEDIA_TYPE.ociManifest,
        index: MEDIA_TYPE.ociIndex,
        configuration: CONTENT_TYPE.ociConfig,
        layer: `${CONTENT_TYPE.ociLayer}+gzip`,
      }),
      makeFamily('Docker', configuration, layer, {
        image: MEDIA_TYPE.dockerManifest,
        index: MEDIA_TYPE.dockerList,
        configuration: CONTENT_TYPE.dockerConfig,
        layer: `${CONTENT_TYPE.dockerLayer}.gzip`,
      }),
    ],
  };
}

function blobOf(bytes: Buffer): ProbeBlob {
  const descriptor = describe('application/octet-stream', bytes);
  return { descriptor, source: { about: 'the trial image', open: async () => Readable.from([bytes]) } };
}

function describe(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function makeFamily(
  name: ProbeFamily['name'],
  configuration: Buffer,
  layer: Buffer,
  types: {
    readonly image: ManifestMediaType;
    readonly index: ManifestMediaType;
    readonly configuration: string;
    readonly layer: string;
  },
): ProbeFamily {
  const manifest = (mediaType: ManifestMediaType, body: object): Manifest => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...body }));
    return parseManifest(bytes, mediaType, 'the trial image');
  };
  const image = manifest(types.image, {
    config: describe(types.configuration, configuration),
    layers: [describe(types.layer, layer)],
  });
  const entry = { ...describe(types.image, image.bytes), platform: PLATFORM };
  return { name, image, index: manifest(types.index, { manifests: [entry] }) };
}
