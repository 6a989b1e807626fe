import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Failure, failureCode } from '../../lib/failure.ts';
import { readBody } from '../../lib/http/http.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { formatSize } from '../../lib/text/size.ts';
import { pushBlob } from '../../registry/blob/blob-push.ts';
import { type Digest, digestAlgorithm, digestOf, digestOfMany } from '../../registry/oci/digest.ts';
import type { Descriptor } from '../../registry/oci/manifest.ts';
import { CONTENT_TYPE, MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import { parseRepository, parseTag, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import type { SyncSettings } from '../settings.ts';
import { STATE_LIMIT } from './schema.ts';

/** Where a run keeps its state in the destination registry. */
export interface StatePlace {
  readonly repository: Repository;
  /** The tag of this run, or of its shard. */
  readonly tag: Tag;
  /** Where a shard looks if it has no state yet: the state of runs without shards. */
  readonly fallback: Tag | undefined;
}

/** A state that was fetched from a registry. */
export interface FoundState {
  /** The bytes of the SQLite file, not yet checked. */
  readonly bytes: Buffer;
  readonly manifest: Digest;
  readonly layer: Digest;
  /** Whether its manifest has an ordinary configuration, because the registry refuses an empty one. */
  readonly isOrdinary: boolean;
}

/** A state that is packed for a push. */
export interface PackedState {
  readonly layer: Buffer;
  readonly digest: Digest;
}

const STATE_ARTIFACT_TYPE = 'application/vnd.keel.sync.state.v1';
const LAYER_TYPE = 'application/vnd.keel.sync.state.v1.sqlite+gzip';
// OCI image-spec, "Guidelines for Artifact Usage".
const EMPTY_CONFIG = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') };
// Aliyun ACR refuses the empty one: "unknown manifest class for application/vnd.oci.empty.v1+json".
const ORDINARY_CONFIG = {
  mediaType: CONTENT_TYPE.ociConfig,
  bytes: Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'),
};
/** Compression reduces a state to a third or less. */
const LAYER_LIMIT = 64 * 1024 * 1024;

/** Returns source, destination and namespace as one text. Runs are recorded under it. */
export function scopeOf(settings: Pick<SyncSettings, 'source' | 'destination' | 'namespace'>): string {
  const { source, destination, namespace } = settings;
  return `${source} ${namespace === undefined ? destination : `${destination}/${namespace}`}`;
}

/** Returns the name of a route in tags and cache keys: a hash of source, destination and namespace. */
export function routeHash(settings: Pick<SyncSettings, 'source' | 'destination' | 'namespace'>): string {
  const { source, destination, namespace } = settings;
  const route = JSON.stringify([source, destination, namespace ?? '']);
  return createHash('sha256').update(route).digest('hex').slice(0, 16);
}

/** Returns where the state of a run is kept: `<namespace>/keel-state:<route>`, or `…:<route>-2of8` for a shard. */
export function statePlace(
  settings: Pick<SyncSettings, 'source' | 'destination' | 'namespace' | 'shard'>,
): StatePlace {
  const { namespace, shard } = settings;
  const whole = parseTag(routeHash(settings));
  return {
    repository: parseRepository(namespace === undefined ? 'keel-state' : `${namespace}/keel-state`),
    tag: shard === undefined ? whole : parseTag(`${whole}-${shard.index}of${shard.count}`),
    fallback: shard === undefined ? undefined : whole,
  };
}

/** Returns the tags of the states that shards of this route left, if the registry lists them. */
export async function findShardTags(
  registry: Registry,
  { repository, tag }: Pick<StatePlace, 'repository' | 'tag'>,
  signal: AbortSignal,
): Promise<readonly Tag[]> {
  const { tags } = await registry.listTags(repository, signal);
  return tags.filter(
    (other) => other.startsWith(`${tag}-`) && /^\d+of\d+$/.test(other.slice(tag.length + 1)),
  );
}

/** Returns a state file as a layer. Equal files make equal layers. */
export async function packState(file: Buffer): Promise<PackedState> {
  const layer = await promisify(gzip)(file);
  return { layer, digest: digestOf(layer) };
}

/**
 * Returns a state from a registry, checked by its digest. Throws `NOT_FOUND` if there is none, `STATE_UNUSABLE` if it
 * is not a state or far too large, and the registry's other failures.
 */
export async function pullState(
  registry: Registry,
  repository: Repository,
  tag: Tag,
  signal: AbortSignal,
): Promise<FoundState> {
  const about = registry.nameOf(repository, tag);
  const manifest = await registry.getManifest(repository, tag, signal);
  const [layer] = manifest.kind === 'image' ? manifest.layers : [];
  if (manifest.kind !== 'image' || layer?.mediaType !== LAYER_TYPE) {
    throw unusableArtifact(about, 'it is not a state of synctl, or a newer synctl wrote it');
  }
  if (layer.size > LAYER_LIMIT)
    throw unusableArtifact(about, `${formatSize(layer.size)} is too large for a state`);
  const packed = await readLayer(registry, repository, layer, signal).catch((error: unknown) => {
    // There is a state, so a missing layer must not be reported as no state.
    if (isNotFound(error)) throw unusableArtifact(about, 'its layer no longer exists', error);
    throw error;
  });
  const isOrdinary = manifest.config.mediaType === ORDINARY_CONFIG.mediaType;
  return { bytes: await unpack(packed, about), manifest: manifest.digest, layer: layer.digest, isOrdinary };
}

/**
 * Pushes a state under a tag, and replaces what the tag had. Its manifest has an empty configuration, or an ordinary
 * one if `isOrdinary` or if the registry refuses the empty one. Throws the registry's failures.
 */
export async function pushState(
  registry: Registry,
  { repository, tag }: Pick<StatePlace, 'repository' | 'tag'>,
  { layer, digest, isOrdinary }: PackedState & { readonly isOrdinary: boolean },
  signal: AbortSignal,
): Promise<void> {
  if (layer.length > LAYER_LIMIT) {
    throw unusableArtifact(
      registry.nameOf(repository, tag),
      `${formatSize(layer.length)} is too large for a state`,
    );
  }
  await pushBytes(registry, repository, layer, signal);
  const put = async (config: typeof EMPTY_CONFIG): Promise<void> => {
    const configDigest = await pushBytes(registry, repository, config.bytes, signal);
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.ociManifest,
        artifactType: STATE_ARTIFACT_TYPE,
        config: { mediaType: config.mediaType, digest: configDigest, size: config.bytes.length },
        layers: [{ mediaType: LAYER_TYPE, digest, size: layer.length }],
      }),
    );
    const manifest = { bytes, mediaType: MEDIA_TYPE.ociManifest, digest: digestOf(bytes) };
    await registry.putManifest(repository, tag, manifest, signal);
  };
  if (isOrdinary) return put(ORDINARY_CONFIG);
  try {
    await put(EMPTY_CONFIG);
  } catch (error) {
    const isOfForm = ['FORMAT_REFUSED', 'MANIFEST_REFUSED', 'REGISTRY_REFUSED'].includes(failureCode(error));
    if (!isOfForm) throw error;
    await put(ORDINARY_CONFIG);
  }
}

/** Returns the bytes of a layer. `readBlob` is only for small blobs. */
function readLayer(
  registry: Registry,
  repository: Repository,
  layer: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  return registry.asMetadata(signal, async () => {
    const bytes = await readBody(await registry.openBlob(repository, layer, signal), layer.size);
    if (bytes !== undefined && (await digestOfMany(bytes, digestAlgorithm(layer.digest))) === layer.digest) {
      return bytes;
    }
    const about = registry.nameOf(repository, layer.digest);
    const message = 'its content does not have this digest';
    throw new HttpFailure({ code: 'DIGEST_MISMATCH', about, message, transient: true });
  });
}

async function unpack(packed: Buffer, about: string): Promise<Buffer> {
  try {
    return await promisify(gunzip)(packed, { maxOutputLength: STATE_LIMIT });
  } catch (error) {
    throw unusableArtifact(about, 'its content is damaged', error);
  }
}

async function pushBytes(
  registry: Registry,
  repository: Repository,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<Digest> {
  const descriptor = { digest: digestOf(bytes), size: bytes.length };
  const source = {
    about: 'the state',
    open: async (_descriptor: unknown, _signal: unknown, range?: { start: number; end: number }) =>
      Readable.from([bytes.subarray(range?.start, range?.end)]),
  };
  await pushBlob({ registry, repository, descriptor, sources: () => [source], isAbsent: false, signal });
  return descriptor.digest;
}

/** Returns the failure for a state in a registry that cannot be used. */
export function unusableArtifact(about: string, message: string, cause?: unknown): Failure<'STATE_UNUSABLE'> {
  return new Failure({ code: 'STATE_UNUSABLE', about, message, cause });
}
