import { z } from 'zod';
import { readBody } from '../lib/http.ts';
import { pullScope } from './authorization.ts';
import { type Digest, digestAlgorithm, digestHex, isDigest } from './digest.ts';
import { followAddress } from './endpoint.ts';
import { MANIFEST_SIZE_LIMIT } from './manifest.ts';
import { MEDIA_TYPE } from './media-type.ts';
import { parseTag, type Repository } from './reference.ts';
import type { Registry } from './registry.ts';
import { isNotFound, RegistryFailure } from './registry-failure.ts';
import { nextLink } from './tag-list.ts';

/** What refers to a manifest, such as a signature. */
export interface Referrer {
  readonly digest: Digest;
  /** What kind of thing it is; older registries do not tell. */
  readonly artifactType: string | undefined;
}

const PAGE_LIMIT = 20;

const listShape = z.object({
  manifests: z.array(
    z.object({
      digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest'),
      artifactType: z.string().optional().catch(undefined),
    }),
  ),
});

/**
 * Lists what refers to a manifest: by the API, and where a registry has none, by the tag that stands in for it
 * (distribution-spec, "Listing Referrers" and "Referrers Tag Schema"). Throws `REGISTRY_BROKEN`, or what the registry says.
 */
export async function listReferrers(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<Referrer[]> {
  try {
    return await registry.asMetadata(signal, () => readPages(registry, repository, digest, signal));
  } catch (error) {
    // What stands before a registry may let through only what it knows: registry.k8s.io answers 403.
    const isUnknown = error instanceof RegistryFailure && !error.transient && error.code !== 'RATE_LIMITED';
    if (!isUnknown) throw error;
    return readFallbackTag(registry, repository, digest, signal);
  }
}

async function readPages(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<Referrer[]> {
  const about = registry.nameOf(repository, digest);
  const found: Referrer[] = [];
  const seen = new Set<string>();
  let url: URL | undefined = registry.url(`/v2/${repository}/referrers/${digest}`);
  while (url !== undefined && !seen.has(url.href) && seen.size < PAGE_LIMIT) {
    seen.add(url.href);
    const answer = await registry.send({
      method: 'GET',
      url,
      scopes: [pullScope(repository)],
      headers: { accept: MEDIA_TYPE.ociIndex },
      expected: [200],
      about,
      action: 'list what refers to it',
      signal,
    });
    const body = await readBody(answer, MANIFEST_SIZE_LIMIT);
    found.push(...parseReferrers(body, about));
    const link = nextLink([answer.headers['link'] ?? ''].flat().join(', '));
    url = link === undefined ? undefined : followAddress(answer.url, link, registry.endpoint);
  }
  return found;
}

async function readFallbackTag(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<Referrer[]> {
  const tag = parseTag(`${digestAlgorithm(digest)}-${digestHex(digest).slice(0, 64)}`);
  try {
    const { bytes } = await registry.getManifest(repository, tag, signal);
    return parseReferrers(bytes, registry.nameOf(repository, tag));
  } catch (error) {
    // Some registries say 403 for what does not exist.
    const isAbsent = isNotFound(error) || (error instanceof RegistryFailure && error.code === 'DENIED');
    if (isAbsent) return [];
    throw error;
  }
}

function parseReferrers(body: Buffer | undefined, about: string): Referrer[] {
  try {
    const { manifests } = listShape.parse(JSON.parse(body?.toString('utf8') ?? ''));
    return manifests.map(({ digest, artifactType }) => ({ digest, artifactType }));
  } catch (cause) {
    const message = 'its list of what refers to a manifest makes no sense';
    throw new RegistryFailure({ code: 'REGISTRY_BROKEN', about, message, cause });
  }
}
