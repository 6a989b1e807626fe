import { isDigest } from '../../../src/registry/oci/digest.ts';
import { type Answer, empty, refusal } from './answer.ts';
import { type Content, contentSize } from './content.ts';
import { type Exchange, headerOf } from './exchange.ts';
import type { Quirks } from './quirks.ts';
import type { Storage } from './storage.ts';

/** GET and HEAD of a blob; with `storageOrigin` its bytes are to be fetched there, from a signed address. */
export function serveBlob(
  exchange: Exchange,
  storage: Storage,
  quirks: Quirks,
  storageOrigin: string | undefined,
): Answer {
  const { repository, reference } = exchange.entry;
  if (!isDigest(reference)) return refusal(400, 'DIGEST_INVALID');
  const content = storage.blob(repository, reference);
  if (content === undefined) return refusal(404, 'BLOB_UNKNOWN');
  if (storageOrigin === undefined) return serveContent(exchange, content, quirks);
  return empty(307, { location: `${storageOrigin}/storage/${reference}?signature=keel` });
}

/** Answers as object storage does: whoever shows a login besides the signed address is refused. */
export function serveStorage(exchange: Exchange, storage: Storage, quirks: Quirks): Answer {
  const { reference } = exchange.entry;
  if (headerOf(exchange, 'authorization') !== undefined) {
    return refusal(400, 'InvalidArgument', 'Only one auth mechanism allowed');
  }
  const content = isDigest(reference) ? storage.contents.get(reference) : undefined;
  return content === undefined ? refusal(404, 'NoSuchKey') : serveContent(exchange, content, quirks);
}

/** DELETE of a blob in one repository. */
export function deleteBlob(exchange: Exchange, storage: Storage, quirks: Quirks): Answer {
  const { repository, reference } = exchange.entry;
  if (quirks.refuseDelete === true) return refusal(405, 'UNSUPPORTED');
  const isGone = isDigest(reference) && storage.deleteBlob(repository, reference);
  return isGone ? empty(202) : refusal(404, 'BLOB_UNKNOWN');
}

// Whole, or the part that a Range header asks for (RFC 9110, 14.2).
function serveContent(exchange: Exchange, content: Content, quirks: Quirks): Answer {
  const { method, reference } = exchange.entry;
  if (content.kind === 'discarded' && method === 'GET') {
    return refusal(500, 'UNKNOWN', 'this test registry dropped the blob after hashing it');
  }
  const size = contentSize(content);
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': reference,
    'accept-ranges': 'bytes',
  };
  const range = /^bytes=(\d+)-(\d*)$/.exec(headerOf(exchange, 'range') ?? '');
  if (range === null || quirks.ignoreRange === true) return { status: 200, headers, body: content };
  const start = Number(range[1]);
  const end = Math.min(range[2] === '' ? size : Number(range[2]) + 1, size);
  if (start >= end) return empty(416, { 'content-range': `bytes */${size}` });
  const told = { 'content-range': `bytes ${start}-${end - 1}/${size}` };
  return { status: 206, headers: { ...headers, ...told }, body: content, start, end };
}
