import type { Readable } from 'node:stream';
import { type BodyWriter, discardBody, type HttpAnswer } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { followAddress } from '../lib/http/redirect.ts';
import { pullScope, pushScope, type Scope } from './auth/scope.ts';
import type { BlobSource } from './blob-source.ts';
import { BlobMeter, pour } from './blob-stream.ts';
import type { Digest } from './oci/digest.ts';
import type { Descriptor } from './oci/manifest.ts';
import type { Repository } from './oci/reference.ts';
import type { ByteRange, Registry } from './registry.ts';

/** One blob that is to be brought to one repository. */
export interface BlobPush {
  readonly registry: Registry;
  readonly repository: Repository;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /**
   * Returns the sources of the bytes, the best first. Called before each attempt, because more may have become known.
   */
  readonly sources: () => readonly BlobSource[];
  /** Another repository of the registry that probably has the blob. */
  readonly mountFrom?: Repository | undefined;
  /** Whether the repository did not exist before the run. Only a run that was killed may have left the blob there. */
  readonly isAbsent: boolean;
  /** Whether the registry contradicted itself about the blob, so that a mount is no proof that it is there. */
  readonly isDoubted?: boolean | undefined;
  readonly signal: AbortSignal;
  /** Called when the transfer takes its slots and when it returns them. */
  readonly onActive?: ((isActive: boolean) => void) | undefined;
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** The source of the bytes of an upload. */
export type UploadSource = Pick<BlobSource, 'about' | 'open'>;

/** A blob upload that a registry has opened. */
export interface Upload {
  readonly repository: Repository;
  /** The URL for the next request. It may contain a signature, so it is never shown or logged. */
  readonly location: URL;
  /** The smallest chunk that the registry takes, in bytes (`OCI-Chunk-Min-Length`); 0 if it did not say. */
  readonly smallestChunk: number;
}

/** Returns the URL that completes an upload: its location with the digest added, otherwise unchanged. */
function closingLocation(upload: Upload, digest: string): URL {
  const url = new URL(upload.location);
  // A query that is parsed and written again would be encoded in another way than the registry signed.
  const separator = url.search === '' ? '?' : '&';
  url.search = `${url.search}${separator}digest=${encodeURIComponent(digest)}`;
  return url;
}

/** Returns the number of bytes that an upload has by its header `Range: 0-N` (or `bytes=0-N`); 0 without one. */
function receivedBytes(range: string | undefined): number {
  const end = /^(?:bytes=)?0-(\d{1,15})$/.exec(range?.trim() ?? '')?.[1];
  return end === undefined || end === '0' ? 0 : Number(end) + 1;
}

/** A blob of a repository of the same registry (distribution-spec, "Mounting a blob"). */
export interface Mount {
  readonly digest: Digest;
  readonly from: Repository;
}

const CANCEL_PATIENCE_MILLISECONDS = 2000;

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
 * Opens an upload, and with `mount` tries to mount a blob in the same request. Returns the upload, `mounted`, `denied`
 * if the login may not mount from there, or `refused` if the registry refuses for another reason.
 */
export async function openUpload(
  registry: Registry,
  repository: Repository,
  signal: AbortSignal,
  mount?: Mount,
): Promise<Upload | 'mounted' | 'refused' | 'denied'> {
  const query = mount === undefined ? '' : `?mount=${mount.digest}&from=${encodeURIComponent(mount.from)}`;
  // Some registries look only at the first scope, so it is the one for the push.
  const scopes: Scope[] = [pushScope(repository)];
  if (mount !== undefined && mount.from !== repository) scopes.push(pullScope(mount.from));
  try {
    const answer = await registry.send({
      method: 'POST',
      url: registry.url(`/v2/${repository}/blobs/uploads/${query}`),
      scopes,
      body: new Uint8Array(0),
      expected: mount === undefined ? [202] : [201, 202],
      about: `${registry.host}/${repository}`,
      action: 'start an upload',
      writes: 'upload',
      signal,
    });
    discardBody(answer);
    if (answer.status === 202) return readLocation(registry, repository, answer);
    return 'mounted';
  } catch (error) {
    // Registries and token services refuse to mount in many ways. If we may not push at all, the plain request fails too.
    if (mount === undefined || !isRefusal(error)) throw error;
    return DENIED.has(error.status) ? 'denied' : 'refused';
  }
}

const DENIED: ReadonlySet<number | undefined> = new Set([401, 403]);

/** Returns whether an error is an answer that would be the same again. To a question that only saves work it means no. */
export function isRefusal(error: unknown): error is HttpFailure {
  return error instanceof HttpFailure && error.status !== undefined && !error.transient;
}

/** Returns the number of bytes that an upload has, and the upload with its new location; undefined if it is gone. */
export async function inspectUpload(
  registry: Registry,
  upload: Upload,
  signal: AbortSignal,
): Promise<{ upload: Upload; received: number } | undefined> {
  try {
    const answer = await registry.send({
      method: 'GET',
      url: upload.location,
      scopes: [pushScope(upload.repository)],
      expected: [204, 200, 202],
      about: `${registry.host}/${upload.repository}`,
      action: 'ask for an upload',
      signal,
    });
    discardBody(answer);
    return {
      upload: nextLocation(registry, upload, answer),
      received: receivedBytes(answer.headers['range']?.toString()),
    };
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** Returns an upload with the location for its next request from an answer. */
function nextLocation(registry: Registry, upload: Upload, answer: HttpAnswer): Upload {
  const location = answer.headers.location;
  if (location === undefined) return upload;
  return { ...upload, location: followAddress(answer.url, location, registry.endpoint) };
}

/** Deletes an upload that is not completed. Never throws, because registries also delete uploads by themselves. */
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
    // The reason why the upload was not completed is reported. This failure would only hide it.
  }
}

/** A point from which a chunked upload can be resumed. */
export interface ResumePoint {
  readonly upload: Upload;
  readonly meter: BlobMeter;
}

const CHUNK_BYTES = 16 * 1024 * 1024;
/** GHCR refuses larger ranged chunks. */
const CHUNK_BYTES_BY_HOST: ReadonlyMap<string, number> = new Map([['ghcr.io', 4 * 1024 * 1024]]);

/** Returns a meter at the first byte of a blob. */
export function newMeter({ descriptor }: BlobPush, source: UploadSource): BlobMeter {
  return new BlobMeter(descriptor, `${source.about}@${descriptor.digest}`);
}

/** Sends a blob in one streaming PUT, which completes the upload. */
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
      awaited: 'work',
      signal,
    });
    discardBody(answer);
  });
}

/**
 * Sends the rest of a blob in chunks, each read from the source by range, and completes the upload. `onProgress` is
 * called before each chunk with the point from which to resume.
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
 * Returns the point that an upload has reached according to the registry: `point`, or a later one if the registry kept
 * a part of a chunk that was cut, or a chunk whose answer was lost. The bytes up to there are read again for the
 * digest, but not sent. Undefined if the registry has fewer bytes, or more than the blob has.
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
  // If the chunk fails, its meter is dropped, and the upload is resumed from the one before.
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
      awaited: 'work',
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
    awaited: 'work',
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
