import { describe, expect, it } from 'vitest';
import { isRateLimit, isTransientStatus, parseRetryAfter } from '../../src/lib/http/transient-status.ts';

const NOW = Date.UTC(2026, 0, 1);

describe('Retry-After', () => {
  it.each([
    ['0', NOW],
    ['120', NOW + 120_000],
    [' 5 ', NOW + 5000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', NOW + 60_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', NOW],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j means %j', (header, expected) => {
    expect(parseRetryAfter(header, NOW)).toBe(expected);
  });
});

it.each([
  [200, false, false],
  [404, false, false],
  [408, true, false],
  [429, true, true],
  [500, true, false],
  [501, false, false],
  [503, true, false],
])('status %d passes: %j, asks for less: %j', (status, passes, asksForLess) => {
  expect([isTransientStatus(status), isRateLimit(status)]).toEqual([passes, asksForLess]);
});
