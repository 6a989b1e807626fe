import type { IncomingHttpHeaders } from 'node:http';

/** Transient refusals: a request that took too long or came too early, too many requests, a client that left (nginx). */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 499]);

/**
 * Lasting errors of a server: it does not support the request (501) or its version (505), is configured wrongly (506,
 * 508), has no room left (507), needs an extension (510), or its network requires a login (511).
 * https://www.iana.org/assignments/http-status-codes
 */
const LASTING: ReadonlySet<number> = new Set([501, 505, 506, 507, 508, 510, 511]);

/**
 * Returns whether the same request could be answered differently a moment after this status. Errors of a server are
 * transient unless they are known to last, because proxies have statuses of their own (520 to 530 of Cloudflare).
 */
export function isTransientStatus(status: number): boolean {
  return PASSING.has(status) || (status >= 500 && status < 600 && !LASTING.has(status));
}

/** Returns whether a status means that there were too many requests (RFC 6585, 4). */
export function isRateLimit(status: number): boolean {
  return status === 429;
}

/** An answer that can contain the time of the next attempt. */
interface TimedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Headers with the time when a limit starts anew: of GitHub, Docker Hub and others, and of a draft of the IETF. */
const RESETS = ['x-retry-after', 'x-ratelimit-reset', 'x-rate-limit-reset', 'ratelimit-reset'];
const LONGEST_RESET_MILLISECONDS = 24 * 60 * 60 * 1000;
/** A larger number is a time and not a pause: seconds since 1970, or milliseconds. */
const SMALLEST_TIME = 1e9;
const SMALLEST_MILLISECONDS = 1e11;

/**
 * Returns when to try again after an answer with an error status, in milliseconds since 1970; undefined if the answer does
 * not contain it. This is Retry-After, or if a limit was exceeded the time when it starts anew, if that is within a day.
 */
export function retryTime({ status, headers }: TimedAnswer, now: number): number | undefined {
  const asked = parseRetryAfter(headers['retry-after'], now);
  if (asked !== undefined) return asked;
  // GitHub answers 403 too. https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
  const isExceeded = isRateLimit(status) || (status === 403 && headers['x-ratelimit-remaining'] === '0');
  if (!isExceeded) return undefined;
  const times = RESETS.map((name) => parseReset([headers[name] ?? ''].flat().join(), now));
  return times.find((time) => time !== undefined);
}

function parseReset(text: string, now: number): number | undefined {
  const [, digits] = /^\s*(\d{1,13})(?:\.\d{1,9})?\s*$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const value = Number(digits);
  const isTime = value >= SMALLEST_TIME;
  const time = isTime ? (value >= SMALLEST_MILLISECONDS ? value : value * 1000) : now + value * 1000;
  return time - now > LONGEST_RESET_MILLISECONDS ? undefined : Math.max(time, now);
}

/** Returns the time in a Retry-After header, seconds or a date (RFC 9110, 10.2.3); undefined if unusable. */
function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return now + Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(date, now);
}
