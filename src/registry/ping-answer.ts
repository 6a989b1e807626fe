import type { HttpAnswer } from '../lib/http/http.ts';

const PAGES: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml']);

/**
 * Returns what speaks against it that a registry gave an answer to `GET /v2/`; undefined if nothing does. It is no proof:
 * some registries have no such page, and some have it behind a web site.
 */
export function oddityOf({ status, headers }: Pick<HttpAnswer, 'status' | 'headers'>): string | undefined {
  if (headers['docker-distribution-api-version'] !== undefined) return undefined;
  if (status === 401 && headers['www-authenticate'] !== undefined) return undefined;
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const isMissing = status === 404 && !type.endsWith('json');
  if (!isMissing && !PAGES.has(type)) return undefined;
  return `GET /v2/ is answered ${status}${type === '' ? '' : ` with ${type}`}`;
}
