import { lookup } from 'node:dns/promises';
import { failureCode } from '../../lib/failure.ts';
import { explainNetworkError } from '../../lib/http/http-failure.ts';
import { isLoopback } from '../../lib/http/loopback.ts';
import { proxyFor } from '../../lib/http/proxy.ts';
import { countOf } from '../../lib/text/sentence.ts';
import { withinSignal } from '../../lib/within-signal.ts';
import { orStranger } from '../../registry/likeness.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { proveRegistry, repeatedly } from '../run/preflight.ts';
import { doubtful, type Finding, fine } from './diagnosis.ts';

/** Resolves the name of a registry, unless a proxy does. Throws `UNREACHABLE`. */
export async function resolveName({ host, endpoint }: Registry, signal: AbortSignal): Promise<Finding> {
  const proxy = proxyFor(endpoint);
  if (proxy !== undefined) return fine(`requests to ${host} go through the proxy ${proxy.host}`);
  const hostname = endpoint.hostname.replace(/^\[|\]$/g, '');
  try {
    const { address } = await withinSignal(lookup(hostname), signal);
    return fine(address === hostname ? `${host} is an address` : `${host} is ${address}`);
  } catch (cause) {
    signal.throwIfAborted();
    throw explainNetworkError(cause, host);
  }
}

/**
 * Pings a registry, which verifies its certificate. If the ping does not show that it is a registry, it requests the
 * `repository` too, and throws `NOT_A_REGISTRY` if that does not show it either.
 */
export async function ping(
  registry: Registry,
  signal: AbortSignal,
  repository?: Repository | undefined,
): Promise<Finding> {
  await repeatedly(registry, signal, () => registry.ping());
  if (repository !== undefined) await proveRegistry(registry, repository, signal);
  const { host, endpoint } = registry;
  const { oddity } = registry.likeness;
  if (oddity !== undefined) {
    return doubtful(`${host} answers, but not like a registry: ${oddity}`, 'check its name and its port');
  }
  if (endpoint.protocol === 'https:') return fine(`${host} answers over TLS`);
  if (isLoopback(endpoint.hostname)) return fine(`${host} answers over HTTP, on this machine`);
  return doubtful(
    `${host} answers over plain HTTP: anyone on the network path can read passwords and images`,
  );
}

/** Lists a repository at the destination. It need not exist yet. */
export async function listDestination(
  registry: Registry,
  repository: Repository,
  signal: AbortSignal,
): Promise<Finding> {
  const name = `${registry.host}/${repository}`;
  try {
    const { tags } = await registry.listTags(repository, signal);
    return fine(`${name} lists ${countOf(tags.length, 'tag')}`);
  } catch (error) {
    const code = failureCode(orStranger(registry, error));
    if (code === 'NOT_FOUND') return fine(`${name} does not exist yet; the first push creates it`);
    if (code !== 'DENIED' && code !== 'UNAUTHORIZED') throw orStranger(registry, error);
    return doubtful(
      `the tags of ${name} may not be listed, so each run requests each tag`,
      'allow the account to pull (list) it',
    );
  }
}
