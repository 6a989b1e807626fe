import { codingsOf } from '../lib/http/content-coding.ts';
import type { HttpAnswer } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';

/**
 * Checks that an answer has the requested part of a blob, not compressed. Throws `REGISTRY_BROKEN`, with the status
 * of the answer if the registry can only send the whole.
 */
export function requirePart(
  { headers, status }: Pick<HttpAnswer, 'headers' | 'status'>,
  { start, size, about }: { readonly start: number; readonly size: number; readonly about: string },
): void {
  const sent = headers['content-range'];
  // The part of a compressed blob is not that of the blob. Some stores only call it compressed: its length shows which.
  if (codingsOf(headers).length > 0 && sent?.endsWith(`/${size}`) !== true) {
    const message = 'the registry compresses a part of a layer';
    throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, status });
  }
  if (sent === undefined || sent.startsWith(`bytes ${start}-`)) return;
  const message = 'the registry answered with another part of a layer than requested';
  throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, transient: true });
}
