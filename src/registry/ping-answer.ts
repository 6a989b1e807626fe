import type { HttpAnswer } from '../lib/http/http.ts';
import { hasErrorList } from './error-body.ts';

const PAGES: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml']);

/** What an answer to `GET /v2/` means: the host is a registry, or an `oddity` speaks against that, or neither. */
type PingVerdict = { readonly kind: 'registry' | 'open' } | { readonly kind: 'odd'; readonly oddity: string };

/** Returns whether an answer has the header by which registries identify themselves. */
export function isSigned({ headers }: Pick<HttpAnswer, 'headers'>): boolean {
  return headers['docker-distribution-api-version'] !== undefined;
}

/**
 * Returns what an answer to `GET /v2/` means. `body` is the part of its text that was read. An odd answer is no proof:
 * some registries have no such page, and some have it behind a web site.
 */
export function verdictOf(answer: Pick<HttpAnswer, 'status' | 'headers'>, body: string): PingVerdict {
  const { status, headers } = answer;
  if (isSigned(answer)) return { kind: 'registry' };
  if (status === 401 && headers['www-authenticate'] !== undefined) return { kind: 'registry' };
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const isJson = type.endsWith('json');
  const isMissing = status === 404 && !hasErrorList(body);
  if (isMissing || PAGES.has(type)) {
    return { kind: 'odd', oddity: `GET /v2/ is answered ${status}${type === '' ? '' : ` with ${type}`}` };
  }
  return { kind: isJson ? 'registry' : 'open' };
}
