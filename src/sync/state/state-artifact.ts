import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Failure, failureCode } from '../../lib/failure.ts';
import { readBody } from '../../lib/http/http.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { formatSize } from '../../lib/text/size.ts';
import { pushBlob } from '../../registry/blob-push.ts';
import { type Digest, digestAlgorithm, digestOf } from '../../registry/oci/digest.ts';
import type { Descriptor } from '../../registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import { parseRepository, parseTag, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { SyncSettings } from '../settings.ts';

/** Where runs over one route keep their state at its destination. */
export interface StatePlace {
  readonly repository: Repository;
  /** Of this run, or of its shard. */
  readonly tag: Tag;
  /** Where a shard looks that has left none yet: the state of runs that were not divided. */
  readonly fallback: Tag | undefined;
}

/** A state as it was found in a registry. */
export interface FoundState {
  /** Of the SQLite file, not yet looked into. */
  readonly bytes: Buffer;
  readonly manifest: Digest;
  readonly layer: Digest;
  /** Whether it stands on an ordinary configuration, as the registry takes no empty one. */
  readonly isOrdinary: boolean;
}

/** A state that is ready to be pushed. */
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
  mediaType: 'application/vnd.oci.image.config.v1+json',
  bytes: Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'),
};
/** 100,000 tags are about 15 MB; what is far beyond that is no state, or a bomb. */
const LAYER_LIMIT = 64 * 1024 * 1024;
const FILE_LIMIT = 256 * 1024 * 1024;

/** Returns source, destination and namespace as one text, by which runs are recorded. */
export function scopeOf(settings: Pick<SyncSettings, 'source' | 'destination' | 'namespace'>): string {
  const { source, destination, namespace } = settings;
  return `${source} ${namespace === undefined ? destination : `${destination}/${namespace}`}`;
}

/** Returns the name of a route in tags and keys: a hash of where from and where to. */
export function routeHash(settings: Pick<SyncSettings, 'source' | 'destination' | 'namespace'>): string {
  const { source, destination, namespace } = settings;
  const route = JSON.stringify([source, destination, namespace ?? '']);
  return createHash('sha256').update(route).digest('hex').slice(0, 16);
}

/** Returns where the state of a run is kept: `<namespace>/keel-state:<route>`, of a shard `…:<route>-2of8`. */
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

/** Packs the bytes of a state file; the same bytes give the same layer. */
export async function packState(file: Buffer): Promise<PackedState> {
  const layer = await promisify(gzip)(file);
  return { layer, digest: digestOf(layer) };
}

/**
 * Fetches a state and checks it by its digest. Throws `NOT_FOUND` where there is none, `STATE_UNUSABLE` for what is no
 * state or far too large, and what else the registry answers.
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
    throw unusableArtifact(about, 'it is not a state of synctl, or that of a newer one');
  }
  if (layer.size > LAYER_LIMIT)
    throw unusableArtifact(about, `${formatSize(layer.size)} are too much for a state`);
  const packed = await readLayer(registry, repository, layer, signal);
  const isOrdinary = manifest.config.mediaType === ORDINARY_CONFIG.mediaType;
  return { bytes: await unpack(packed, about), manifest: manifest.digest, layer: layer.digest, isOrdinary };
}

/**
 * Pushes a state under a tag, in place of what is there. It stands on an empty configuration, or on an ordinary one
 * where `isOrdinary` says so or the registry takes no other. Throws what the registry answers.
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
      `${formatSize(layer.length)} are too much for a state`,
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
    if (failureCode(error) !== 'FORMAT_REFUSED' && failureCode(error) !== 'REGISTRY_REFUSED') throw error;
    await put(ORDINARY_CONFIG);
  }
}

/** Not `readBlob`, which is for what is small. */
function readLayer(
  registry: Registry,
  repository: Repository,
  layer: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  return registry.asMetadata(signal, async () => {
    const bytes = await readBody(await registry.openBlob(repository, layer, signal), layer.size);
    if (bytes !== undefined && digestOf(bytes, digestAlgorithm(layer.digest)) === layer.digest) return bytes;
    const about = registry.nameOf(repository, layer.digest);
    const message = 'its content does not have this digest';
    throw new HttpFailure({ code: 'DIGEST_MISMATCH', about, message, transient: true });
  });
}

async function unpack(packed: Buffer, about: string): Promise<Buffer> {
  try {
    return await promisify(gunzip)(packed, { maxOutputLength: FILE_LIMIT });
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
