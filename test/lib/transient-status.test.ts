import { describe, expect, it } from 'vitest';
import { isAnswerFailure } from '../../src/lib/http/http-failure.ts';
import { isRateLimit, isTransientStatus, retryTime } from '../../src/lib/http/transient-status.ts';
import { explainKodoAnswer } from '../../src/publish/qiniu/kodo-refusal.ts';
import { explainReleaseAnswer } from '../../src/publish/release/release-refusal.ts';
import { refusal } from '../../src/registry/refusal.ts';
import { openWebFile } from '../../src/upstream/fetch/web-file.ts';
import { answerOf } from '../support/http-answer.ts';

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
    expect(retryTime({ status: 503, headers: { 'retry-after': header } }, NOW)).toBe(expected);
  });
});

describe('a limit that says when it starts anew, without Retry-After', () => {
  const soon = NOW / 1000 + 60;
  it.each<[status: number, headers: Record<string, string>, expected: number | undefined]>([
    [429, { 'x-ratelimit-reset': String(soon) }, NOW + 60_000],
    [429, { 'x-ratelimit-reset': String(soon * 1000) }, NOW + 60_000],
    [429, { 'x-ratelimit-reset': '60' }, NOW + 60_000],
    [429, { 'x-ratelimit-reset': `${soon}.5` }, NOW + 60_000],
    [429, { 'x-retry-after': String(soon) }, NOW + 60_000],
    [429, { 'ratelimit-reset': '30' }, NOW + 30_000],
    [429, { 'x-rate-limit-reset': String(soon) }, NOW + 60_000],
    [429, { 'retry-after': '5', 'x-ratelimit-reset': String(soon) }, NOW + 5000],
    [429, { 'retry-after': 'soon', 'x-ratelimit-reset': String(soon) }, NOW + 60_000],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(soon) }, NOW + 60_000],
    // Others count along without having been exceeded.
    [403, { 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': String(soon) }, undefined],
    [503, { 'x-ratelimit-reset': String(soon) }, undefined],
    // Past, beyond a day, or no number.
    [429, { 'x-ratelimit-reset': String(NOW / 1000 - 60) }, NOW],
    [429, { 'x-ratelimit-reset': String(NOW / 1000 + 100_000) }, undefined],
    [429, { 'x-ratelimit-reset': '100000' }, undefined],
    [429, { 'x-ratelimit-reset': '99999999999999' }, undefined],
    [429, { 'x-ratelimit-reset': '-5' }, undefined],
    [429, { 'x-ratelimit-reset': 'soon' }, undefined],
    [429, {}, undefined],
  ])('%i with %j', (status, headers, expected) => {
    expect(retryTime({ status, headers }, NOW)).toBe(expected);
  });
});

it.each([
  [200, false, false],
  [404, false, false],
  [408, true, false],
  [425, true, false],
  [429, true, true],
  [499, true, false],
  [500, true, false],
  [501, false, false],
  [503, true, false],
  [505, false, false],
  [507, false, false],
  [511, false, false],
  [520, true, false],
  [525, true, false],
  [529, true, false],
  [530, true, false],
  [599, true, false],
  [600, false, false],
])('status %d passes: %j, asks for less: %j', (status, passes, asksForLess) => {
  expect([isTransientStatus(status), isRateLimit(status)]).toEqual([passes, asksForLess]);
});

describe('a fault of a server passes unless it is known to stay', () => {
  const errorBody = { codes: [], text: '', details: '' };
  it.each<[string, (status: number) => boolean]>([
    ['a registry', (status) => refusal({ about: 'a.example', action: 'do it', status, errorBody }).transient],
    ['Kodo', (status) => explainKodoAnswer({ status, error: '', bucket: 'keel', key: 'file' }).transient],
    [
      'GitHub',
      (status) =>
        explainReleaseAnswer({ status, body: undefined, about: 'file', retryAt: undefined }).transient,
    ],
  ])('at %s', (_where, passes) => {
    expect([500, 502, 504, 520, 522, 524, 527, 530].filter((status) => !passes(status))).toEqual([]);
    expect([501, 505, 507, 511].filter(passes)).toEqual([]);
  });

  it.each([
    [520, true],
    [425, true],
    [501, false],
  ])('at a server of components: %d', async (status, passes) => {
    const url = new URL('https://a.example/file');
    const http = { send: async () => answerOf(url, {}, { status }) };
    const { signal } = new AbortController();
    const failed = await openWebFile({ http, url, expected: [200], signal }).catch((error: unknown) => error);
    expect(isAnswerFailure(failed) && failed.transient).toBe(passes);
  });
});
