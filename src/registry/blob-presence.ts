import { discardBody } from '../lib/http/http.ts';
import { pullScope } from './auth/scope.ts';
import type { Descriptor } from './oci/manifest.ts';
import type { Repository } from './oci/reference.ts';
import type { Registry } from './registry.ts';
import { isRefusedQuestion } from './registry-failure.ts';

/**
 * Returns whether a repository has a blob; undefined if the registry does not tell. What HEAD does not confirm is asked
 * for its first byte: some registries refuse HEAD, also for what is there.
 */
export async function hasBlob(
  registry: Registry,
  repository: Repository,
  { digest }: Pick<Descriptor, 'digest'>,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const ask = (method: 'GET' | 'HEAD'): Promise<number | undefined> =>
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
        return answer.status;
      })
      .catch((error: unknown) => {
        // 401 where the login is refused ends clearly when something is to be written.
        if (isRefusedQuestion(error)) return undefined;
        throw error;
      });
  if ((await ask('HEAD')) === 200) return true;
  const status = await ask('GET');
  if (status === 404) return false;
  return status === 200 || status === 206 || status === 416 ? true : undefined;
}
