import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { type Image, type Index, type Manifest, parseManifest } from '../../registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../registry/oci/media-type.ts';

const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
const DOCKER_FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar';
const OCI_FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar';

/** The bytes are the same in both formats, only the types differ (OCI image-spec, media-types.md, "Compatibility"). */
const LAYER_TYPES: ReadonlyMap<string, string> = new Map([
  ['application/vnd.oci.image.layer.v1.tar', DOCKER_LAYER],
  ['application/vnd.oci.image.layer.v1.tar+gzip', `${DOCKER_LAYER}.gzip`],
  [OCI_FOREIGN, DOCKER_FOREIGN],
  [`${OCI_FOREIGN}+gzip`, `${DOCKER_FOREIGN}.gzip`],
]);
const DOCKER_TYPES: ReadonlySet<string> = new Set(LAYER_TYPES.values());

const descriptorShape = z.object({
  mediaType: z.string(),
  digest: z.string(),
  size: z.number(),
  urls: z.array(z.string()).optional(),
});
const imageShape = z.object({ config: descriptorShape, layers: z.array(descriptorShape) });
const indexShape = z.object({
  manifests: z.array(z.object({ platform: z.record(z.string(), z.unknown()).optional() })),
});

function unconvertible(about: string, why: string): Failure<'FORMAT_UNCONVERTIBLE'> {
  return new Failure({
    code: 'FORMAT_UNCONVERTIBLE',
    about,
    message: `the destination refuses it as an OCI image, and it cannot become a Docker image: ${why}`,
    hint: 'leave it out with "exclude", or mirror to a registry that takes OCI images',
  });
}

/** Parses the fields that the conversion needs. */
function contentOf<Content>(shape: z.ZodType<Content>, { bytes }: Manifest, about: string): Content {
  const { success, data } = shape.safeParse(JSON.parse(bytes.toString('utf8')));
  if (!success) throw unconvertible(about, 'its manifest is malformed');
  return data;
}

function dockerLayerType(mediaType: string, about: string): string {
  const type = LAYER_TYPES.get(mediaType) ?? (DOCKER_TYPES.has(mediaType) ? mediaType : undefined);
  if (type !== undefined) return type;
  const why = mediaType.endsWith('+zstd')
    ? 'its layers are compressed with zstd, which that format does not know'
    : `it holds "${mediaType.slice(0, 100)}", which is no layer of an image`;
  throw unconvertible(about, why);
}

/** Returns whether a manifest is a container image and not another artifact in the same format. */
export function isContainerImage({ config }: Image): boolean {
  return config.mediaType === OCI_CONFIG || config.mediaType === DOCKER_CONFIG;
}

/**
 * Returns an image as a Docker manifest, schema 2, with the same blobs. One that is in this format already is returned
 * unchanged. Equal images result in equal bytes. Throws `FORMAT_UNCONVERTIBLE`.
 */
export function toDockerImage(image: Image, about: string): Manifest {
  if (image.mediaType === MEDIA_TYPE.dockerManifest) return image;
  const { config, layers } = contentOf(imageShape, image, about);
  if (!isContainerImage(image)) {
    throw unconvertible(about, `its configuration is "${config.mediaType.slice(0, 100)}"`);
  }
  const body = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.dockerManifest,
    config: { mediaType: DOCKER_CONFIG, size: config.size, digest: config.digest },
    layers: layers.map(({ mediaType, size, digest, urls }) => ({
      mediaType: dockerLayerType(mediaType, about),
      size,
      digest,
      urls: urls?.length === 0 ? undefined : urls,
    })),
  };
  return parseManifest(Buffer.from(JSON.stringify(body)), body.mediaType, about);
}

/** Returns an index as a Docker manifest list. `parts` are the converted entries, by their digests in the index. */
export function toDockerList(index: Index, parts: ReadonlyMap<Digest, Manifest>, about: string): Manifest {
  const { manifests } = contentOf(indexShape, index, about);
  const body = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.dockerList,
    manifests: index.manifests.map(({ digest }, position) => {
      const part = parts.get(digest);
      const platform = manifests[position]?.platform;
      if (part?.kind !== 'image') throw unconvertible(about, 'it lists something else than images');
      if (platform === undefined) throw unconvertible(about, 'it lists an image without a platform');
      return { mediaType: part.mediaType, size: part.bytes.length, digest: part.digest, platform };
    }),
  };
  return parseManifest(Buffer.from(JSON.stringify(body)), body.mediaType, about);
}
