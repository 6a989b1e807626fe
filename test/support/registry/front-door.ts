import { isDigest } from '../../../src/registry/oci/digest.ts';
import { type Answer, empty, text } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { isWrite } from './route.ts';
import type { Storage } from './storage.ts';

/** Where the repositories of a front door really are, as on registry.k8s.io. */
export const BACKEND_PREFIX = 'k8s-artifacts-prod/images/';

/**
 * Answers as registry.k8s.io does: reading only, blobs from a store, everything else from a registry behind it, and
 * no query string survives the way there. https://github.com/kubernetes/registry.k8s.io (handlers.go)
 */
export function answerFrontDoor(
  exchange: Exchange,
  storage: Storage,
  backendOrigin: string,
  storageOrigin: string,
): Answer {
  const { kind, method, path, reference } = exchange.entry;
  if (isWrite(method)) return text(405, 'Only GET and HEAD are allowed.');
  if (kind === 'ping') return empty(200, { 'docker-distribution-api-version': 'registry/2.0' });
  if (kind === 'catalog') return text(404, '_catalog is not supported');
  if (kind === 'blob-get' || kind === 'blob-head') {
    if (isDigest(reference) && storage.contents.has(reference)) {
      return empty(307, { location: `${storageOrigin}/storage/${reference}?signature=keel` });
    }
  }
  if (!path.startsWith('/v2/')) return text(404, 'not found');
  return empty(307, { location: `${backendOrigin}/v2/${BACKEND_PREFIX}${path.slice('/v2/'.length)}` });
}
