import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { readJson } from '../../lib/json.ts';
import { eachOf, fieldOf, listOf, recordOf } from '../../lib/zero-value.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { type Image, type Index, type Manifest, parseManifest } from '../../registry/oci/manifest.ts';
import {
  CONTENT_TYPE,
  DOCKER_LAYER_TYPES,
  MEDIA_TYPE,
  OCI_LAYER_TYPES,
} from '../../registry/oci/media-type.ts';
import { ATTESTED_DIGEST } from './index-subset.ts';

/** The two families of formats. */
export type Family = 'docker' | 'oci';

/** What differs between the families. */
const FAMILIES = {
  docker: {
    image: MEDIA_TYPE.dockerManifest,
    index: MEDIA_TYPE.dockerList,
    config: CONTENT_TYPE.dockerConfig,
    layers: DOCKER_LAYER_TYPES,
    names: { refused: 'an OCI image', becomes: 'a Docker image', takes: 'OCI images' },
  },
  oci: {
    image: MEDIA_TYPE.ociManifest,
    index: MEDIA_TYPE.ociIndex,
    config: CONTENT_TYPE.ociConfig,
    layers: OCI_LAYER_TYPES,
    names: { refused: 'a Docker image', becomes: 'an OCI image', takes: "Docker's images" },
  },
} as const;

const descriptorShape = z.object({
  mediaType: z.string(),
  digest: z.string(),
  size: z.number(),
  urls: fieldOf(eachOf(z.string())),
});
const imageShape = z.object({ config: descriptorShape, layers: listOf(descriptorShape) });
const annotationsShape = fieldOf(recordOf(z.string())).catch(undefined);
const indexShape = z.object({
  annotations: annotationsShape,
  manifests: listOf(
    z.object({
      platform: fieldOf(z.record(z.string(), z.unknown())),
      annotations: annotationsShape,
    }),
  ),
});

function unconvertible(family: Family, about: string, why: string): Failure<'FORMAT_UNCONVERTIBLE'> {
  const { refused, becomes, takes } = FAMILIES[family].names;
  return new Failure({
    code: 'FORMAT_UNCONVERTIBLE',
    about,
    message: `the destination refuses it as ${refused}, and keel-pkg cannot convert it to ${becomes}: ${why}`,
    hint: `leave it out with "exclude", or mirror to a registry that accepts ${takes}`,
  });
}

/** Parses the fields that the conversion needs. */
function contentOf<Content>(
  shape: z.ZodType<Content>,
  { bytes }: Manifest,
  family: Family,
  about: string,
): Content {
  const { success, data } = shape.safeParse(readJson(bytes));
  if (!success) throw unconvertible(family, about, 'its manifest is malformed');
  return data;
}

function layerType(mediaType: string, family: Family, about: string): string {
  const { layers } = FAMILIES[family];
  // OCI leaves open what a layer is; Docker does not.
  const isOfFamily =
    [...layers.values()].includes(mediaType) ||
    (family === 'oci' && !mediaType.startsWith('application/vnd.docker.'));
  const type = layers.get(mediaType) ?? (isOfFamily ? mediaType : undefined);
  if (type !== undefined) return type;
  const why =
    family === 'docker' && mediaType.endsWith('+zstd')
      ? 'its layers are compressed with zstd, which that format does not support'
      : `it contains "${mediaType.slice(0, 100)}", which is not a layer of an image`;
  throw unconvertible(family, about, why);
}

/** Returns whether a manifest is a container image and not another artifact in the same format. */
export function isContainerImage({ config }: Image): boolean {
  return config.mediaType === CONTENT_TYPE.ociConfig || config.mediaType === CONTENT_TYPE.dockerConfig;
}

/**
 * Returns an image in the format of a family, with the same blobs: a Docker manifest (schema 2) or an OCI manifest. An
 * image that has this format already is returned unchanged. Equal images result in equal bytes. Throws
 * `FORMAT_UNCONVERTIBLE`.
 */
export function toImageOf(family: Family, image: Image, about: string): Manifest {
  const { image: mediaType, config: configType } = FAMILIES[family];
  if (image.mediaType === mediaType) return image;
  const { config, layers } = contentOf(imageShape, image, family, about);
  if (!isContainerImage(image)) {
    throw unconvertible(family, about, `its configuration is "${config.mediaType.slice(0, 100)}"`);
  }
  const body = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: configType, size: config.size, digest: config.digest },
    layers: layers.map(({ mediaType: type, size, digest, urls }) => ({
      mediaType: layerType(type, family, about),
      size,
      digest,
      urls: urls?.length === 0 ? undefined : urls,
    })),
  };
  return parseManifest(Buffer.from(JSON.stringify(body)), body.mediaType, about);
}

/**
 * Returns an index in the format of a family. `parts` are the converted entries, by their digests in the index.
 * Annotations are kept for OCI; Docker's format has none. Those of attestations name the converted image.
 */
export function toIndexOf(
  family: Family,
  index: Index,
  parts: ReadonlyMap<Digest, Manifest>,
  about: string,
): Manifest {
  const { manifests, annotations: own } = contentOf(indexShape, index, family, about);
  const digests = new Map<string, Digest>([...parts].map(([digest, part]) => [digest, part.digest]));
  const annotationsOf = (position: number): Record<string, string> | undefined => {
    const annotations = manifests[position]?.annotations;
    const attested = digests.get(annotations?.[ATTESTED_DIGEST] ?? '');
    return attested === undefined ? annotations : { ...annotations, [ATTESTED_DIGEST]: attested };
  };
  const body = {
    schemaVersion: 2,
    mediaType: FAMILIES[family].index,
    manifests: index.manifests.map(({ digest }, position) => {
      const part = parts.get(digest);
      const platform = manifests[position]?.platform;
      if (part?.kind !== 'image') throw unconvertible(family, about, 'it lists something other than images');
      const entry = { mediaType: part.mediaType, size: part.bytes.length, digest: part.digest, platform };
      if (family === 'oci') return { ...entry, annotations: annotationsOf(position) };
      if (platform === undefined) throw unconvertible(family, about, 'it lists an image without a platform');
      return entry;
    }),
    annotations: family === 'oci' ? own : undefined,
  };
  return parseManifest(Buffer.from(JSON.stringify(body)), body.mediaType, about);
}
