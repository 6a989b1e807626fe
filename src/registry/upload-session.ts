import { discardBody, type HttpAnswer } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { pullScope, pushScope, type Scope } from './authorization.ts';
import { followAddress } from './endpoint.ts';
import type { Digest } from './oci/digest.ts';
import type { Repository } from './oci/reference.ts';
import type { Registry } from './registry.ts';
import { receivedBytes, type Upload } from './upload.ts';

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
export function nextLocation(registry: Registry, upload: Upload, answer: HttpAnswer): Upload {
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
