import type { Readable } from 'node:stream';
import { type BodyWriter, discardBody } from '../lib/http/http.ts';
import { pushScope } from './authorization.ts';
import type { BlobSource } from './blob-source.ts';
import { BlobMeter, pour } from './blob-stream.ts';
import type { Descriptor } from './oci/manifest.ts';
import type { Repository } from './oci/reference.ts';
import type { ByteRange, Registry } from './registry.ts';
import { closingLocation, type Upload } from './upload.ts';
import { nextLocation } from './upload-session.ts';

/** One blob on its way from one source into one repository. */
export interface Transfer {
  readonly registry: Registry;
  readonly repository: Repository;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  readonly source: BlobSource;
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
  /** Told what went wrong where the fault lies with the source. */
  readonly onSourceFailure: (error: unknown) => void;
}

/** A chunked upload at a point from which it can go on. */
export interface ResumePoint {
  readonly upload: Upload;
  readonly meter: BlobMeter;
}

const CHUNK_BYTES = 16 * 1024 * 1024;
/** GHCR refuses larger ranged chunks. */
const CHUNK_BYTES_BY_HOST: ReadonlyMap<string, number> = new Map([['ghcr.io', 4 * 1024 * 1024]]);

/** Returns a meter that stands before a transfer's first byte. */
export function newMeter(transfer: Transfer): BlobMeter {
  return new BlobMeter(transfer.descriptor, `${transfer.source.about}@${transfer.descriptor.digest}`);
}

/** Sends a blob in one streaming PUT that ends its upload. */
export async function sendWhole(transfer: Transfer, upload: Upload): Promise<void> {
  const { registry, repository, descriptor, signal } = transfer;
  await withSource(transfer, undefined, async (body) => {
    const answer = await registry.send({
      method: 'PUT',
      url: closingLocation(upload, descriptor.digest),
      scopes: [pushScope(repository)],
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
      body: writer(transfer, body, newMeter(transfer), descriptor.size),
      expected: [201, 200, 204],
      about: `${registry.host}/${repository}`,
      action: 'push a layer',
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
  transfer: Transfer,
  start: ResumePoint,
  onProgress: (point: ResumePoint) => void,
): Promise<void> {
  const { registry, descriptor } = transfer;
  const preferred = CHUNK_BYTES_BY_HOST.get(registry.host) ?? CHUNK_BYTES;
  let point = start;
  while (!point.meter.isComplete) {
    onProgress(point);
    const begin = point.meter.passed;
    const end = Math.min(begin + Math.max(preferred, point.upload.smallestChunk), descriptor.size);
    point = await sendChunk(transfer, point, { start: begin, end });
  }
  await closeChunks(transfer, point.upload);
}

/**
 * Returns the point at which the registry says that an upload stands: at `point`, or behind it where it kept a part of a
 * chunk that was cut, or a chunk whose answer was lost. What lies between is read again for its digest, and not sent.
 * Undefined where the registry has less, or more than there is.
 */
export async function catchUp(
  transfer: Transfer,
  point: ResumePoint,
  received: number,
): Promise<ResumePoint | undefined> {
  const start = point.meter.passed;
  if (received < start || received > transfer.descriptor.size) return undefined;
  if (received === start) return point;
  const meter = point.meter.copy();
  await withSource(transfer, { start, end: received }, async (body) => {
    try {
      for await (const bytes of body) meter.add(bytes, received);
    } catch (error) {
      transfer.signal.throwIfAborted();
      throw meter.broken(error);
    }
  });
  if (meter.passed < received) throw meter.truncated();
  if (meter.isComplete) meter.verify();
  return { upload: point.upload, meter };
}

async function sendChunk(transfer: Transfer, point: ResumePoint, range: ByteRange): Promise<ResumePoint> {
  const { registry, repository, signal } = transfer;
  const length = range.end - range.start;
  // The meter of a chunk that breaks is thrown away; the one before it says where to go on.
  const meter = point.meter.copy();
  return withSource(transfer, range, async (body) => {
    const answer = await registry.send({
      method: 'PATCH',
      url: point.upload.location,
      scopes: [pushScope(repository)],
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(length),
        'content-range': `${range.start}-${range.end - 1}`,
      },
      body: writer(transfer, body, meter, length),
      expected: [202, 201, 204],
      about: `${registry.host}/${repository}`,
      action: 'push a part of a layer',
      signal,
    });
    discardBody(answer);
    return { upload: nextLocation(registry, point.upload, answer), meter };
  });
}

async function closeChunks(transfer: Transfer, upload: Upload): Promise<void> {
  const { registry, repository, descriptor, signal } = transfer;
  const answer = await registry.send({
    method: 'PUT',
    url: closingLocation(upload, descriptor.digest),
    scopes: [pushScope(repository)],
    body: new Uint8Array(0),
    expected: [201, 200, 204],
    about: `${registry.host}/${repository}`,
    action: 'finish a layer',
    signal,
  });
  discardBody(answer);
}

async function withSource<Result>(
  transfer: Transfer,
  range: ByteRange | undefined,
  use: (body: Readable) => Promise<Result>,
): Promise<Result> {
  const { source, descriptor, signal, onSourceFailure } = transfer;
  let body: Readable;
  try {
    body = await source.open(descriptor, signal, range);
  } catch (error) {
    if (!signal.aborted) onSourceFailure(error);
    throw error;
  }
  try {
    return await use(body);
  } finally {
    body.destroy();
  }
}

function writer(transfer: Transfer, source: Readable, meter: BlobMeter, length: number): BodyWriter {
  return async (sink, stop) => {
    await pour({ source, sink, meter, length, signal: stop, onBytes: transfer.onBytes });
    sink.end();
  };
}
