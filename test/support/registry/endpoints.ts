import { type Answer, empty, refusal } from './answer.ts';
import { deleteBlob, serveBlob } from './blobs.ts';
import type { Exchange } from './exchange.ts';
import { type ListingStyle, listCatalog, listTags } from './listing.ts';
import { acceptManifest, deleteManifest, listReferrers, serveManifest } from './manifests.ts';
import type { Quirks } from './quirks.ts';
import type { Storage } from './storage.ts';
import type { Uploads } from './uploads.ts';

/** What the endpoints of a test registry work on. */
export interface EndpointParts {
  readonly storage: Storage;
  readonly uploads: Uploads;
  readonly quirks: Quirks;
  readonly listing: ListingStyle;
  /** Where blobs are redirected to; without it they come from here. */
  readonly storageOrigin: string | undefined;
}

/** Answers a request that was let in (distribution-spec, "Endpoints"). */
export function answerEndpoint(exchange: Exchange, parts: EndpointParts): Answer | Promise<Answer> {
  const { storage, uploads, quirks, listing, storageOrigin } = parts;
  const depth = exchange.entry.repository.split('/').length;
  if (quirks.pathDepth !== undefined && depth > quirks.pathDepth) return refusal(400, 'NAME_INVALID');
  switch (exchange.entry.kind) {
    case 'ping':
      return empty(200, { 'docker-distribution-api-version': 'registry/2.0' });
    case 'catalog':
      return listCatalog(exchange, storage);
    case 'tags-list':
      return listTags(exchange, storage, listing, quirks);
    case 'referrers':
      return listReferrers(exchange, storage, quirks);
    case 'manifest-get':
    case 'manifest-head':
      return serveManifest(exchange, storage, quirks);
    case 'manifest-put':
      return acceptManifest(exchange, storage, quirks);
    case 'manifest-delete':
      return deleteManifest(exchange, storage, quirks);
    case 'blob-get':
    case 'blob-head':
      return serveBlob(exchange, storage, quirks, storageOrigin);
    case 'blob-delete':
      return deleteBlob(exchange, storage, quirks);
    case 'mount':
    case 'upload-start':
      return uploads.start(exchange);
    case 'upload-status':
    case 'upload-patch':
    case 'upload-put':
    case 'upload-delete':
      return uploads.go(exchange);
    default:
      return refusal(404, 'UNSUPPORTED', 'no such endpoint');
  }
}
