/** Refusals that pass: a request that took too long or came too early, too many requests, a client that left (nginx). */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 499]);

/**
 * Faults of a server that stay: it cannot do it at all (501), not in this version (505), is set up wrong (506, 508), has
 * no room left (507), needs an extension (510), or its network wants a login (511).
 * https://www.iana.org/assignments/http-status-codes
 */
const LASTING: ReadonlySet<number> = new Set([501, 505, 506, 507, 508, 510, 511]);

/**
 * Returns whether the same request could be answered differently a moment after this status. Faults of a server pass
 * unless they are known to stay, because proxies have statuses of their own (520 to 530 of Cloudflare).
 */
export function isTransientStatus(status: number): boolean {
  return PASSING.has(status) || (status >= 500 && status < 600 && !LASTING.has(status));
}

/** Returns whether a status asks for fewer requests (RFC 6585, 4). */
export function isRateLimit(status: number): boolean {
  return status === 429;
}

/**
 * Returns the time in a Retry-After header, seconds or a date (RFC 9110, 10.2.3), in milliseconds since 1970; undefined
 * if unusable.
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return now + Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(date, now);
}
