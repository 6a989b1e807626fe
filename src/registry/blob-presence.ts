import { discardBody, type HttpAnswer } from '../lib/http/http.ts';
import { pullScope } from './auth/scope.ts';
import type { Descriptor } from './oci/manifest.ts';
import type { Repository } from './oci/reference.ts';
import type { Registry } from './registry.ts';
import { isRefusedQuestion } from './registry-failure.ts';

/**
 * Returns whether a repository has a blob of this size; undefined if the registry does not tell. What HEAD does not
 * confirm is asked for its first byte: some registries refuse HEAD, also for what is there, or tell no true length.
 */
export async function hasBlob(
  registry: Registry,
  repository: Repository,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const ask = (method: 'GET' | 'HEAD'): Promise<HttpAnswer | undefined> =>
    registry
      .asMetadata(signal, async () => {
        const answer = await registry.send({
          method,
          url: registry.url(`/v2/${repository}/blobs/${digest}`),
          scopes: [pullScope(repository)],
          headers: method === 'GET' ? { range: 'bytes=0-0' } : undefined,
          // An empty blob has no first byte: 416.
          expected: [200, 206, 404, 416],
          about: registry.nameOf(repository, digest),
          action: 'ask for a layer',
          signal,
        });
        discardBody(answer);
        return answer;
      })
      .catch((error: unknown) => {
        // 401 where the login is refused ends clearly when something is to be written.
        if (isRefusedQuestion(error)) return undefined;
        throw error;
      });
  const isWhole = (answer: HttpAnswer): boolean => (toldSize(answer) ?? size) === size;
  const head = await ask('HEAD');
  if (head?.status === 200 && isWhole(head)) return true;
  const part = await ask('GET');
  if (part === undefined) return undefined;
  // A file that was cut at the registry, by a full disk or a crash, is not the layer.
  return part.status !== 404 && isWhole(part);
}

/** Returns the size of a whole blob in bytes, from an answer to HEAD or GET; undefined if the answer does not tell it. */
export function toldSize({ status, headers }: HttpAnswer): number | undefined {
  const length = status === 200 ? headers['content-length'] : headers['content-range']?.split('/')[1];
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
