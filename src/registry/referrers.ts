import { z } from 'zod';
import { HttpFailure, isAnswerFailure } from '../lib/http/http-failure.ts';
import { readMembers } from '../lib/json-members.ts';
import { TEXT_FIELD } from '../lib/zero-value.ts';
import { pullScope } from './auth/scope.ts';
import { type ListLimits, readPages } from './list-pages.ts';
import { type Digest, digestAlgorithm, digestHex, isDigest } from './oci/digest.ts';
import { MANIFEST_SIZE_LIMIT } from './oci/manifest.ts';
import { MEDIA_TYPE } from './oci/media-type.ts';
import { parseTag, type Repository, type Tag } from './oci/reference.ts';
import type { Registry } from './registry.ts';
import { mayBeAbsent } from './registry-failure.ts';

/** A manifest that refers to another one, such as a signature. */
export interface Referrer {
  readonly digest: Digest;
  /** Older registries do not return it. */
  readonly artifactType: string | undefined;
}

/** Images have few referrers; in a longer list, only its beginning is searched for signatures. */
const LIMITS: ListLimits = { pages: 20, bytes: 20 * MANIFEST_SIZE_LIMIT, isCut: true };

const referrerShape = z.object({
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest'),
  artifactType: TEXT_FIELD.catch(undefined),
});

/**
 * Returns the referrers of a manifest: from the referrers API or, if a registry does not have it, from the tag that
 * replaces it (distribution-spec, "Listing Referrers" and "Referrers Tag Schema"). Throws `REGISTRY_BROKEN` or the
 * registry's refusal.
 */
export async function listReferrers(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<Referrer[]> {
  const told = await askReferrersApi(registry, repository, digest, signal);
  return told ?? readFallbackTag(registry, repository, digest, signal);
}

/**
 * Returns what the referrers API lists for a manifest; undefined if a registry does not have it. Throws as
 * `listReferrers`.
 */
export async function askReferrersApi(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<Referrer[] | undefined> {
  try {
    return await readReferrers(registry, repository, digest, signal);
  } catch (error) {
    // A front end may let through only the requests that it knows: registry.k8s.io answers 403.
    const isUnknown = isAnswerFailure(error) && !error.transient && error.code !== 'RATE_LIMITED';
    if (!isUnknown || error.code === 'LIST_INCOMPLETE') throw error;
    return undefined;
  }
}

/** Returns the tag that replaces the referrers API. It has at most 64 digits of the digest. */
export function referrersTag(digest: Digest): Tag {
  return parseTag(`${digestAlgorithm(digest)}-${digestHex(digest).slice(0, 64)}`);
}

async function readReferrers(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<Referrer[]> {
  const about = registry.nameOf(repository, digest);
  const path = `/v2/${repository}/referrers/${digest}`;
  const first = await registry.asMetadata(signal, async () => registry.url(path));
  const send = (url: URL) =>
    registry.send({
      method: 'GET',
      url,
      scopes: [pullScope(repository)],
      headers: { accept: MEDIA_TYPE.ociIndex },
      expected: [200],
      about,
      action: 'list its referrers',
      signal,
    });
  const attempt = <Result>(operation: () => Promise<Result>) => registry.asMetadata(signal, operation);
  const entriesOf = (page: Referrer[]) => page.map((referrer) => referrer.digest);
  const list = { first, about, limits: LIMITS, send, attempt, parse: parseReferrers, entriesOf };
  const { pages } = await readPages(list, registry.endpoint);
  return pages.flat();
}

async function readFallbackTag(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<Referrer[]> {
  const tag = referrersTag(digest);
  try {
    const { bytes } = await registry.getManifest(repository, tag, signal);
    return await parseReferrers(bytes, registry.nameOf(repository, tag));
  } catch (error) {
    if (mayBeAbsent(error)) return [];
    throw error;
  }
}

async function parseReferrers(body: Buffer, about: string): Promise<Referrer[]> {
  const referrers: Referrer[] = [];
  try {
    await readMembers(body, {
      config: {
        of: 'value',
        take: () => {
          throw new TypeError('it has a configuration, so it is an image and not a list');
        },
      },
      manifests: {
        of: 'list',
        take: (items) => {
          for (const item of items) {
            if (item === null) continue;
            const { digest, artifactType } = referrerShape.parse(item);
            referrers.push({ digest, artifactType });
          }
        },
      },
    });
  } catch (cause) {
    const message = 'its list of referrers of a manifest is malformed';
    throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, cause });
  }
  return referrers;
}
