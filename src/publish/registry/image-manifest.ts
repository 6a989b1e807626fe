import { z } from 'zod';
import { eachOf, fieldOf, listOf } from '../../lib/zero-value.ts';
import { type Digest, digestOf } from '../../registry/oci/digest.ts';
import type { Manifest } from '../../registry/oci/manifest.ts';
import { CONTENT_TYPE, MEDIA_TYPE, OCI_LAYER_TYPES } from '../../registry/oci/media-type.ts';
import type { PackageFile } from '../contract/target.ts';
import type { BaseImage } from './base-image.ts';
import type { PackageLayer } from './image-layer.ts';

/** The configuration and the manifest of an image or artifact. */
export interface ImageDocuments {
  readonly config: { readonly bytes: Buffer; readonly digest: Digest; readonly mediaType: string };
  readonly manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>;
}

const ARTIFACT_TYPE = 'application/vnd.keel.package.v1';
const ARTIFACT_LAYER = 'application/vnd.keel.package.layer.v1.tar+gzip';
const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';
/** Fixed, so that the same package always produces the same image. */
const CREATED = '1980-01-01T00:00:00Z';
/** Where the image copies the package to; `docker run` mounts a folder there. */
export const OUTPUT_FOLDER = '/out';

const baseShape = z.object({
  rootfs: z.object({ diff_ids: listOf(z.string()) }),
  history: listOf(z.unknown()).catch([]),
  config: z.object({ Env: fieldOf(eachOf(z.string())) }).catch({}),
});

function annotationsOf(file: PackageFile): Record<string, string> {
  return { 'org.opencontainers.image.title': file.name };
}

function documents(config: Buffer, configType: string, body: object): ImageDocuments {
  const digest = digestOf(config);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    ...body,
    config: { mediaType: configType, digest, size: config.length },
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return {
    config: { bytes: config, digest, mediaType: configType },
    manifest: { bytes, mediaType: MEDIA_TYPE.ociManifest, digest: digestOf(bytes) },
  };
}

/** Returns an OCI artifact whose one layer is the package; `oras pull` writes it under the package's name. */
export function artifactDocuments(file: PackageFile, layer: PackageLayer): ImageDocuments {
  const { digest, size } = layer;
  const annotations = annotationsOf(file);
  return documents(Buffer.from('{}'), EMPTY_CONFIG, {
    artifactType: ARTIFACT_TYPE,
    layers: [{ mediaType: ARTIFACT_LAYER, digest, size, annotations }],
    annotations: { ...annotations, 'org.opencontainers.image.created': CREATED },
  });
}

/**
 * Returns an image with the package at its root. With a base, running it copies the package to `/out`; without one it
 * can only be created, for `docker cp`.
 */
export function imageDocuments(
  file: PackageFile,
  layer: PackageLayer,
  {
    architecture,
    base,
  }: {
    readonly architecture: string;
    readonly base: Pick<BaseImage, 'layers' | 'config'> | undefined;
  },
): ImageDocuments {
  const inherited = base === undefined ? undefined : baseShape.parse(base.config);
  const history = { created: CREATED, created_by: `COPY ${file.name} /`, comment: 'keel-pkg' };
  const config = {
    created: CREATED,
    architecture,
    os: 'linux',
    config: {
      ...(inherited?.config.Env ? { Env: inherited.config.Env } : {}),
      Cmd: base === undefined ? [`/${file.name}`] : ['cp', `/${file.name}`, `${OUTPUT_FOLDER}/`],
      Labels: { ...annotationsOf(file), 'keel.package.sha256': file.sha256 },
    },
    rootfs: { type: 'layers', diff_ids: [...(inherited?.rootfs.diff_ids ?? []), layer.digest] },
    history: [...(inherited?.history ?? []), history],
  };
  const { digest, size } = layer;
  const own = { mediaType: CONTENT_TYPE.ociLayer, digest, size, annotations: annotationsOf(file) };
  const below = (base?.layers ?? []).map((one) => ({
    // containerd refuses an OCI manifest with Docker layers.
    mediaType: OCI_LAYER_TYPES.get(one.mediaType) ?? one.mediaType,
    digest: one.digest,
    size: one.size,
  }));
  return documents(Buffer.from(JSON.stringify(config)), CONTENT_TYPE.ociConfig, {
    layers: [...below, own],
    annotations: annotationsOf(file),
  });
}
