/** Statuses with which any server can answer for a moment. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Returns whether the same request could be answered differently a moment after this status. */
export function isTransientStatus(status: number): boolean {
  return PASSING.has(status);
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
