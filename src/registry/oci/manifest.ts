import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { readJson, UnreasonableJson } from '../../lib/json.ts';
import { eachOf, fieldOf, listOf, recordOf, TEXT_FIELD } from '../../lib/zero-value.ts';
import { ambiguityOf } from './ambiguity.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from './digest.ts';
import { isIndexMediaType, isManifestMediaType, type ManifestMediaType } from './media-type.ts';
import { normalizePlatform, type Platform } from './platform.ts';

/** A pointer to content: its type, digest and size in bytes (OCI image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Other addresses of the content, outside of the registry. */
  readonly urls?: readonly string[] | undefined;
}

interface ManifestBody {
  readonly mediaType: ManifestMediaType;
  readonly digest: Digest;
  /** The exact bytes that the registry sent. Only they have this digest. */
  readonly bytes: Buffer;
}

/** A list of manifests, one for each platform. */
export interface Index extends ManifestBody {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

/** An image or artifact: a configuration and layers. */
export interface Image extends ManifestBody {
  readonly kind: 'image';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export type Manifest = Index | Image;

/** What a registry reports about a manifest without its body. The type is the text that it sent, or empty. */
export type ToldManifest = Pick<Descriptor, 'digest' | 'mediaType'>;

/** The size in bytes that registries accept at most; real manifests are smaller. */
export const MANIFEST_SIZE_LIMIT = 4 * 1024 * 1024;

const platformShape = z
  .object({
    os: z.string().min(1),
    architecture: z.string().min(1),
    variant: TEXT_FIELD,
    'os.version': TEXT_FIELD.catch(undefined),
  })
  .transform(
    ({ 'os.version': osVersion, ...platform }): Platform => normalizePlatform({ ...platform, osVersion }),
  );

const descriptorShape = z.object({
  mediaType: z.string(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest'),
  size: z.number().int().nonnegative(),
  platform: fieldOf(platformShape).catch(undefined),
  annotations: fieldOf(recordOf(z.string())).catch(undefined),
  urls: fieldOf(eachOf(z.string())).catch(undefined),
});

const bodyShape = z.object({ schemaVersion: z.literal(2), mediaType: TEXT_FIELD });
/** An image with the type of an index is malformed, not an empty index. */
const indexShape = bodyShape.extend({
  manifests: listOf(descriptorShape),
  config: z.null().optional(),
  layers: z.null().optional(),
});
const imageShape = bodyShape.extend({ config: descriptorShape, layers: listOf(descriptorShape) });

function toDescriptor(parsed: z.infer<typeof descriptorShape>): Descriptor {
  const { mediaType, digest, size, platform, annotations, urls } = parsed;
  return {
    mediaType,
    digest,
    size,
    platform,
    annotations,
    urls,
  };
}

const FOREIGN_LAYER =
  /^application\/vnd\.(?:docker\.image\.rootfs\.foreign\.diff\.tar|oci\.image\.layer\.nondistributable\.v1\.tar)(?:[.+][a-z]+)?$/;

/**
 * Returns whether a layer is of a type that a registry need not hold (`foreign` or `nondistributable`), and its
 * manifest lists where else it is. Addresses alone do not make it one: layers of ordinary types may have some too.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md#non-distributable-layers
 */
export function isForeignLayer({ mediaType, urls = [] }: Pick<Descriptor, 'mediaType' | 'urls'>): boolean {
  return FOREIGN_LAYER.test(mediaType) && urls.length > 0;
}

/** Returns whether an entry of an index is an index itself, for which the index names no platform. */
export function isNestedIndex({ platform, mediaType }: Pick<Descriptor, 'platform' | 'mediaType'>): boolean {
  return platform === undefined && isManifestMediaType(mediaType) && isIndexMediaType(mediaType);
}

/** Returns whether a manifest has a digest, which another registry may have computed with another algorithm. */
export function hasDigest({ bytes, digest }: Pick<Manifest, 'bytes' | 'digest'>, other: Digest): boolean {
  return digest === other || digestOf(bytes, digestAlgorithm(other)) === other;
}

function unusable(about: string, message: string, cause?: unknown): Failure<'MANIFEST_UNUSABLE'> {
  return new Failure({ code: 'MANIFEST_UNUSABLE', about, message, cause });
}

/** More layers than any filesystem can stack, and more files than artifacts have. */
const LAYERS_LIMIT = 1000;
function parseJson(bytes: Buffer, about: string): unknown {
  try {
    return readJson(bytes);
  } catch (cause) {
    // It was not damaged on the way, so another request would not help.
    if (cause instanceof UnreasonableJson) throw unusable(about, cause.message);
    throw unusable(about, 'the manifest is not JSON', cause);
  }
}

const otherShape = z.object({ schemaVersion: z.unknown().optional(), mediaType: z.unknown().optional() });

/** Returns a description of a manifest of none of the four types, for people. */
function kindOf(json: unknown): string {
  const { schemaVersion, mediaType } = otherShape.safeParse(json).data ?? {};
  if (schemaVersion === 1) return "an image of Docker's schema 1, from before 2016";
  return typeof mediaType === 'string' && mediaType !== ''
    ? `a manifest of the type "${mediaType.slice(0, 100)}"`
    : 'content of an unknown kind';
}

/**
 * Reads a manifest or index of any of the four media types (OCI image-spec, manifest.md and image-index.md).
 * `contentType` is the header of the answer; it is used if the body has no `mediaType`. The digest is computed here,
 * never taken from a header. Throws `MANIFEST_UNUSABLE`.
 */
export function parseManifest(
  bytes: Buffer,
  contentType: string | undefined,
  about: string,
  algorithm: 'sha256' | 'sha512' = 'sha256',
): Manifest {
  const json = parseJson(bytes, about);
  const ambiguity = ambiguityOf(bytes, json);
  if (ambiguity !== undefined) throw unusable(about, ambiguity);
  const body = bodyShape.safeParse(json);
  if (!body.success) throw unusable(about, `it is ${kindOf(json)}, which cannot be copied`, body.error);
  const mediaType = body.data.mediaType ?? contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (!isManifestMediaType(mediaType)) {
    throw unusable(about, `the manifest has the type "${mediaType.slice(0, 100)}", which cannot be copied`);
  }
  const common = { mediaType, digest: digestOf(bytes, algorithm), bytes };
  if (isIndexMediaType(mediaType)) {
    const index = indexShape.safeParse(json);
    if (!index.success) throw unusable(about, 'the index is malformed', index.error);
    return { ...common, kind: 'index', manifests: index.data.manifests.map(toDescriptor) };
  }
  const image = imageShape.safeParse(json);
  if (!image.success) throw unusable(about, 'the manifest is malformed', image.error);
  if (image.data.layers.length > LAYERS_LIMIT) {
    throw unusable(
      about,
      `it has ${image.data.layers.length} layers, and no image has more than ${LAYERS_LIMIT}`,
    );
  }
  return {
    ...common,
    kind: 'image',
    config: toDescriptor(image.data.config),
    layers: image.data.layers.map(toDescriptor),
  };
}
