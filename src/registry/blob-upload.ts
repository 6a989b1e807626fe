import type { Readable } from 'node:stream';
import { type BodyWriter, discardBody, type HttpAnswer } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { followAddress } from '../lib/http/redirect.ts';
import { pullScope, pushScope, type Scope } from './authorization.ts';
import type { BlobSource } from './blob-source.ts';
import { BlobMeter, pour } from './blob-stream.ts';
import type { Digest } from './oci/digest.ts';
import type { Descriptor } from './oci/manifest.ts';
import type { Repository } from './oci/reference.ts';
import type { ByteRange, Registry } from './registry.ts';

/** One blob on its way into one repository, from the run's board down to the requests of an upload. */
export interface BlobPush {
  readonly registry: Registry;
  readonly repository: Repository;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /** Where the bytes can come from, best first; asked before each attempt, as more may become known. */
  readonly sources: () => readonly BlobSource[];
  /** Another repository of the registry that is believed to hold the blob. */
  readonly mountFrom?: Repository | undefined;
  /** Whether it is hardly there, as the repository lists nothing; a run that was killed may have left it all the same. */
  readonly isAbsent: boolean;
  /** Whether a mount is not to be believed: the registry said that it holds the blob, and then that it does not. */
  readonly isDoubted?: boolean | undefined;
  readonly signal: AbortSignal;
  /** Called when the push takes its slots and when it returns them. */
  readonly onActive?: ((isActive: boolean) => void) | undefined;
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** What an upload needs of where its bytes come from. */
export type UploadSource = Pick<BlobSource, 'about' | 'open'>;

/** A blob upload that a registry has opened. */
export interface Upload {
  readonly repository: Repository;
  /** Where the next request of this upload goes. It may hold a signature: never shown, never logged. */
  readonly location: URL;
  /** The smallest chunk the registry takes, in bytes, where it said so (`OCI-Chunk-Min-Length`). */
  readonly smallestChunk: number;
}

/** Returns the address that ends an upload: its location with the digest added and nothing else changed. */
function closingLocation(upload: Upload, digest: string): URL {
  const url = new URL(upload.location);
  // Rebuilding the query would re-encode what the registry signed.
  const separator = url.search === '' ? '?' : '&';
  url.search = `${url.search}${separator}digest=${encodeURIComponent(digest)}`;
  return url;
}

/** Returns how many bytes an upload holds from a `Range: 0-N` (or `bytes=0-N`) header; 0 when it tells nothing. */
function receivedBytes(range: string | undefined): number {
  const end = /^(?:bytes=)?0-(\d{1,15})$/.exec(range?.trim() ?? '')?.[1];
  return end === undefined || end === '0' ? 0 : Number(end) + 1;
}

/** Asks for a blob that another repository of the same registry holds (distribution-spec, "Mounting a blob"). */
export interface Mount {
  readonly digest: Digest;
  readonly from: Repository;
}

const CANCEL_PATIENCE_MILLISECONDS = 2000;
const MOUNT_REFUSALS: readonly number[] = [400, 403, 404, 405];

function readLocation(registry: Registry, repository: Repository, answer: HttpAnswer): Upload {
  const location = answer.headers.location;
  if (location === undefined) {
    throw new HttpFailure({
      code: 'REGISTRY_BROKEN',
      about: `${registry.host}/${repository}`,
      message: 'it opened an upload without saying where',
      transient: true,
    });
  }
  const smallest = Number([answer.headers['oci-chunk-min-length'] ?? 0].flat()[0]);
  return {
    repository,
    location: followAddress(answer.url, location, registry.endpoint),
    smallestChunk: Number.isSafeInteger(smallest) ? Math.max(smallest, 0) : 0,
  };
}

/**
 * Opens an upload; with `mount` it asks at the same time for a blob that the registry has. Gives `mounted`, the
 * upload, or `refused` where the registry would not hear of the mount.
 */
export async function openUpload(
  registry: Registry,
  repository: Repository,
  signal: AbortSignal,
  mount?: Mount,
): Promise<Upload | 'mounted' | 'refused'> {
  const query = mount === undefined ? '' : `?mount=${mount.digest}&from=${encodeURIComponent(mount.from)}`;
  // Some registries look at the first scope only, so the one to push with stands there.
  const scopes: Scope[] = [pushScope(repository)];
  if (mount !== undefined && mount.from !== repository) scopes.push(pullScope(mount.from));
  try {
    const answer = await registry.send({
      method: 'POST',
      url: registry.url(`/v2/${repository}/blobs/uploads/${query}`),
      scopes,
      body: new Uint8Array(0),
      expected: mount === undefined ? [202] : [201, 202, ...MOUNT_REFUSALS],
      about: `${registry.host}/${repository}`,
      action: 'start an upload',
      writes: 'upload',
      signal,
    });
    discardBody(answer);
    if (answer.status === 202) return readLocation(registry, repository, answer);
    return answer.status === 201 ? 'mounted' : 'refused';
  } catch (error) {
    // Harbor says 401 for a mount it will not make; where the account may not push at all, the plain request says so too.
    if (mount !== undefined && error instanceof HttpFailure && error.status === 401) return 'refused';
    throw error;
  }
}

/** Asks how many bytes an upload holds; `undefined` when it is gone. The upload comes back with its newest location. */
export async function inspectUpload(
  registry: Registry,
  upload: Upload,
  signal: AbortSignal,
): Promise<{ upload: Upload; received: number } | undefined> {
  const answer = await registry.send({
    method: 'GET',
    url: upload.location,
    scopes: [pushScope(upload.repository)],
    expected: [204, 200, 202, 400, 404, 405, 416],
    about: `${registry.host}/${upload.repository}`,
    action: 'ask for an upload',
    signal,
  });
  discardBody(answer);
  if (answer.status >= 400) return undefined;
  return {
    upload: nextLocation(registry, upload, answer),
    received: receivedBytes(answer.headers['range']?.toString()),
  };
}

/** Returns an upload with the location that an answer named for its next request. */
function nextLocation(registry: Registry, upload: Upload, answer: HttpAnswer): Upload {
  const location = answer.headers.location;
  if (location === undefined) return upload;
  return { ...upload, location: followAddress(answer.url, location, registry.endpoint) };
}

/** Tells the registry that an upload will not go on. It never throws: registries forget uploads by themselves, later. */
export async function cancelUpload(registry: Registry, upload: Upload): Promise<void> {
  try {
    const answer = await registry.send({
      method: 'DELETE',
      url: upload.location,
      scopes: [pushScope(upload.repository)],
      expected: [200, 202, 204, 404, 405],
      about: `${registry.host}/${upload.repository}`,
      action: 'cancel an upload',
      signal: AbortSignal.timeout(CANCEL_PATIENCE_MILLISECONDS),
    });
    discardBody(answer);
  } catch {
    // The upload was given up for a reason that is reported; this would only hide it.
  }
}

/** A chunked upload at a point from which it can go on. */
export interface ResumePoint {
  readonly upload: Upload;
  readonly meter: BlobMeter;
}

const CHUNK_BYTES = 16 * 1024 * 1024;
/** GHCR refuses larger ranged chunks. */
const CHUNK_BYTES_BY_HOST: ReadonlyMap<string, number> = new Map([['ghcr.io', 4 * 1024 * 1024]]);

/** Returns a meter that stands before a blob's first byte. */
export function newMeter({ descriptor }: BlobPush, source: UploadSource): BlobMeter {
  return new BlobMeter(descriptor, `${source.about}@${descriptor.digest}`);
}

/** Sends a blob in one streaming PUT that ends its upload. */
export async function sendWhole(push: BlobPush, source: UploadSource, upload: Upload): Promise<void> {
  const { registry, repository, descriptor, signal } = push;
  await withSource(push, source, undefined, async (body) => {
    const answer = await registry.send({
      method: 'PUT',
      url: closingLocation(upload, descriptor.digest),
      scopes: [pushScope(repository)],
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
      body: writer(push, body, newMeter(push, source), descriptor.size),
      expected: [201, 200, 204],
      about: `${registry.host}/${repository}`,
      action: 'push a layer',
      writes: 'layer',
      signal,
    });
    discardBody(answer);
  });
}

/**
 * Sends the rest of a blob in chunks, each read from the source by range, and ends its upload. `onProgress` gets the
 * point from which to go on before each chunk.
 */
export async function sendChunks(
  push: BlobPush,
  source: UploadSource,
  start: ResumePoint,
  onProgress: (point: ResumePoint) => void,
): Promise<void> {
  const { registry, descriptor } = push;
  const preferred = CHUNK_BYTES_BY_HOST.get(registry.host) ?? CHUNK_BYTES;
  let point = start;
  while (!point.meter.isComplete) {
    onProgress(point);
    const begin = point.meter.passed;
    const end = Math.min(begin + Math.max(preferred, point.upload.smallestChunk), descriptor.size);
    point = await sendChunk(push, source, point, { start: begin, end });
  }
  await closeChunks(push, point.upload);
}

/**
 * Returns the point at which the registry says that an upload stands: at `point`, or behind it where it kept a part of a
 * chunk that was cut, or a chunk whose answer was lost. What lies between is read again for its digest, and not sent.
 * Undefined where the registry has less, or more than there is.
 */
export async function catchUp(
  push: BlobPush,
  source: UploadSource,
  point: ResumePoint,
  received: number,
): Promise<ResumePoint | undefined> {
  const start = point.meter.passed;
  if (received < start || received > push.descriptor.size) return undefined;
  if (received === start) return point;
  const meter = point.meter.copy();
  await withSource(push, source, { start, end: received }, async (body) => {
    try {
      for await (const bytes of body) meter.add(bytes, received);
    } catch (error) {
      push.signal.throwIfAborted();
      throw meter.broken(error);
    }
  });
  if (meter.passed < received) throw meter.truncated();
  if (meter.isComplete) meter.verify();
  return { upload: point.upload, meter };
}

async function sendChunk(
  push: BlobPush,
  source: UploadSource,
  point: ResumePoint,
  range: ByteRange,
): Promise<ResumePoint> {
  const { registry, repository, signal } = push;
  const length = range.end - range.start;
  // The meter of a chunk that breaks is thrown away; the one before it says where to go on.
  const meter = point.meter.copy();
  return withSource(push, source, range, async (body) => {
    const answer = await registry.send({
      method: 'PATCH',
      url: point.upload.location,
      scopes: [pushScope(repository)],
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(length),
        'content-range': `${range.start}-${range.end - 1}`,
      },
      body: writer(push, body, meter, length),
      expected: [202, 201, 204],
      about: `${registry.host}/${repository}`,
      action: 'push a part of a layer',
      writes: 'layer',
      signal,
    });
    discardBody(answer);
    return { upload: nextLocation(registry, point.upload, answer), meter };
  });
}

async function closeChunks(push: BlobPush, upload: Upload): Promise<void> {
  const { registry, repository, descriptor, signal } = push;
  const answer = await registry.send({
    method: 'PUT',
    url: closingLocation(upload, descriptor.digest),
    scopes: [pushScope(repository)],
    body: new Uint8Array(0),
    expected: [201, 200, 204],
    about: `${registry.host}/${repository}`,
    action: 'finish a layer',
    writes: 'layer',
    signal,
  });
  discardBody(answer);
}

async function withSource<Result>(
  { descriptor, signal }: BlobPush,
  source: UploadSource,
  range: ByteRange | undefined,
  use: (body: Readable) => Promise<Result>,
): Promise<Result> {
  const body = await source.open(descriptor, signal, range);
  try {
    return await use(body);
  } finally {
    body.destroy();
  }
}

function writer({ onBytes }: BlobPush, source: Readable, meter: BlobMeter, length: number): BodyWriter {
  return async (sink, stop) => {
    await pour({ source, sink, meter, length, signal: stop, onBytes });
    sink.end();
  };
}
