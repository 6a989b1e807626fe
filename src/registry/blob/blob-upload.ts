import { type BodyWriter, discardBody, type HttpAnswer } from '../../lib/http/http.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { withParameter } from '../../lib/http/received-url.ts';
import { followAddress } from '../../lib/http/redirect.ts';
import { pullScope, pushScope, type Scope } from '../auth/scope.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { Repository } from '../oci/reference.ts';
import type { ByteRange, Registry } from '../registry.ts';
import { isRefusedQuestion } from '../registry-failure.ts';
import type { Exchange } from '../transport.ts';

/** A blob upload that a registry has opened. */
export interface Upload {
  readonly repository: Repository;
  /** The URL for the next request. It may contain a signature, so it is never shown or logged. */
  readonly location: URL;
  /** The smallest chunk that the registry accepts, in bytes (`OCI-Chunk-Min-Length`); 0 if it sent none. */
  readonly smallestChunk: number;
}

/** Returns the URL that completes an upload: its location with the digest added, otherwise unchanged. */
function closingLocation(upload: Upload, digest: string): URL {
  return withParameter(upload.location, `digest=${encodeURIComponent(digest)}`);
}

/**
 * Returns the number of bytes that an upload has by its header `Range: 0-N` (or `bytes=0-N`); undefined if the header
 * is missing or has another form.
 */
function receivedBytes(range: string | undefined): number | undefined {
  const end = /^(?:bytes=)?0-(\d{1,15})$/.exec(range?.trim() ?? '')?.[1];
  if (end === undefined) return undefined;
  // `0-0` should mean one byte, but registries send it for an upload that has none.
  return end === '0' ? 0 : Number(end) + 1;
}

/** A blob of a repository of the same registry (distribution-spec, "Mounting a blob"). */
interface Mount {
  readonly digest: Digest;
  readonly from: Repository;
}

const CANCEL_PATIENCE_MILLISECONDS = 2000;

function readLocation(registry: Registry, repository: Repository, answer: HttpAnswer): Upload {
  const location = answer.headers.location;
  if (!location) {
    throw new HttpFailure({
      code: 'REGISTRY_BROKEN',
      about: `${registry.host}/${repository}`,
      message: 'it opened an upload without an address',
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
    if (answer.status !== 202) return 'mounted';
    const upload = readLocation(registry, repository, answer);
    registry.likeness.prove();
    return upload;
  } catch (error) {
    // Registries and token services refuse to mount in many ways. If we may not push at all, the plain request fails too.
    if (mount === undefined || !isRefusedQuestion(error)) throw error;
    return DENIED.has(error.status) ? 'denied' : 'refused';
  }
}

const DENIED: ReadonlySet<number | undefined> = new Set([401, 403]);

/**
 * Returns how many bytes an upload has, and the upload with its new location; undefined if it is gone, or if the
 * registry does not report it.
 */
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
      action: 'check an upload',
      signal,
    });
    discardBody(answer);
    const received = receivedBytes(answer.headers['range']?.toString());
    return received === undefined ? undefined : { upload: nextLocation(registry, upload, answer), received };
  } catch (error) {
    if (isRefusedQuestion(error)) return undefined;
    throw error;
  }
}

/** Returns an upload with the location for its next request from an answer. */
function nextLocation(registry: Registry, upload: Upload, answer: HttpAnswer): Upload {
  const location = answer.headers.location;
  if (!location) return upload;
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

/** Sends a blob in one streaming PUT, which completes the upload. Returns the status of the answer. */
export async function putWhole(
  registry: Registry,
  upload: Upload,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  body: BodyWriter,
  signal: AbortSignal,
): Promise<number> {
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
  return complete(registry, upload, digest, { headers, body, action: 'push a layer', signal });
}

/** Completes an upload that has all its bytes. Returns the status of the answer. */
export async function closeUpload(
  registry: Registry,
  upload: Upload,
  digest: Digest,
  signal: AbortSignal,
): Promise<number> {
  return complete(registry, upload, digest, { body: new Uint8Array(0), action: 'finish a layer', signal });
}

async function complete(
  registry: Registry,
  upload: Upload,
  digest: Digest,
  request: Pick<Exchange, 'headers' | 'body' | 'action' | 'signal'>,
): Promise<number> {
  const answer = await registry.send({
    ...request,
    method: 'PUT',
    url: closingLocation(upload, digest),
    scopes: [pushScope(upload.repository)],
    expected: [201, 200, 202, 204],
    about: `${registry.host}/${upload.repository}`,
    writes: 'layer',
    awaited: 'work',
  });
  discardBody(answer);
  return answer.status;
}

/**
 * Sends a range of a blob. Returns the upload with the location for its next request, and how many bytes it has,
 * if the answer contains that.
 */
export async function patchChunk(
  registry: Registry,
  upload: Upload,
  { start, end }: ByteRange,
  body: BodyWriter,
  signal: AbortSignal,
): Promise<{ upload: Upload; received: number | undefined }> {
  const answer = await registry.send({
    method: 'PATCH',
    url: upload.location,
    scopes: [pushScope(upload.repository)],
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(end - start),
      'content-range': `${start}-${end - 1}`,
    },
    body,
    // ECR answers 201.
    expected: [202, 201, 200, 204],
    about: `${registry.host}/${upload.repository}`,
    action: 'push a part of a layer',
    writes: 'layer',
    awaited: 'work',
    signal,
  });
  discardBody(answer);
  const received = receivedBytes(answer.headers['range']?.toString());
  return { upload: nextLocation(registry, upload, answer), received };
}
