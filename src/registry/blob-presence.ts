import { discardBody, type HttpAnswer } from '../lib/http/http.ts';
import { pullScope, type Scope } from './auth/scope.ts';
import type { Descriptor } from './oci/manifest.ts';
import type { Repository } from './oci/reference.ts';
import type { Registry } from './registry.ts';
import { isRefusedQuestion } from './registry-failure.ts';

/**
 * Returns whether a repository has a blob of this size; undefined if the registry refuses to answer. If HEAD does not
 * confirm it, GET asks for the first byte: some registries refuse HEAD, also for blobs that they have, or report a wrong
 * length.
 */
export async function hasBlob(
  registry: Registry,
  repository: Repository,
  blob: Pick<Descriptor, 'digest' | 'size'>,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const question: Question = { registry, repository, blob, scope: pullScope(repository), signal };
  const ask = (method: 'GET' | 'HEAD'): Promise<boolean | undefined> =>
    registry
      .asMetadata(signal, () => askForBlob(method, question))
      .catch((error: unknown) => {
        // If the login is refused with 401, the write that follows fails with a clear error.
        if (isRefusedQuestion(error)) return undefined;
        throw error;
      });
  return (await ask('HEAD')) === true ? true : ask('GET');
}

/** A blob that a registry is asked for. */
interface Question {
  readonly registry: Registry;
  readonly repository: Repository;
  readonly blob: Pick<Descriptor, 'digest' | 'size'>;
  readonly scope: Scope;
  readonly signal: AbortSignal;
}

/**
 * Asks for a blob once, with HEAD or for its first byte. Returns whether it is there with its size: a file that was cut at
 * the registry, by a full disk or a crash, is not the blob. Throws the refusal of the registry.
 */
export async function askForBlob(
  method: 'GET' | 'HEAD',
  { registry, repository, blob, scope, signal }: Question,
): Promise<boolean> {
  const answer = await registry.send({
    method,
    url: registry.url(`/v2/${repository}/blobs/${blob.digest}`),
    scopes: [scope],
    headers: method === 'GET' ? { range: 'bytes=0-0' } : undefined,
    // An empty blob has no first byte: 416.
    expected: method === 'GET' ? [200, 206, 404, 416] : [200, 404],
    about: registry.nameOf(repository, blob.digest),
    action: 'check for a layer',
    signal,
  });
  discardBody(answer);
  return answer.status !== 404 && (toldSize(answer) ?? blob.size) === blob.size;
}

/** Returns the size of a whole blob in bytes, from an answer to HEAD or GET; undefined if the answer lacks it. */
function toldSize({ status, headers }: HttpAnswer): number | undefined {
  const length = status === 200 ? headers['content-length'] : headers['content-range']?.split('/')[1];
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
