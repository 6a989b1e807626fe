import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HttpFailure } from '../../src/lib/http/http-failure.ts';
import { ADAPTIVE_LIMITS, HostLimits } from '../../src/registry/host-limits.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';

const HOST = parseHost('registry.example');
const NOW = Date.parse('2026-01-31T10:00:00Z');
const MINUTE = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

function refused(more: { status?: number; retryAt?: number; transient?: boolean }): HttpFailure {
  return new HttpFailure({ code: 'RATE_LIMITED', about: 'it', message: 'no', transient: true, ...more });
}

/** Returns the widths for metadata and transfers. */
function widths({ metadata, transfers }: HostLimits): readonly number[] {
  return [metadata.width, transfers.width];
}

describe('how much may be asked at a time', () => {
  test('begins carefully where users say nothing', () => {
    expect(widths(new HostLimits(HOST, ADAPTIVE_LIMITS))).toEqual([10, 5]);
  });

  test.each([
    ['swr.cn-north-4.myhuaweicloud.com', 20],
    ['swr-api.eu-west-101.myhuaweicloud.eu', 20],
    ['swr.example', 100],
    ['myhuaweicloud.com', 100],
  ])('is what %s takes: %i transfers', (host, transfers) => {
    const settings = { metadata: { start: 100 }, transfers: { start: 100 } };
    expect(widths(new HostLimits(parseHost(host), settings))).toEqual([100, transfers]);
  });

  test.each<[what: string, error: unknown, widths: readonly number[]]>([
    ['a 429', refused({ status: 429 }), [5, 2]],
    ['a 503', refused({ status: 503 }), [5, 2]],
    ['a 500', refused({ status: 500 }), [10, 5]],
    ['a connection that was cut', refused({}), [10, 5]],
    ['an error of ours', new Error('oops'), [10, 5]],
  ])('is less after %s', (_what, error, expected) => {
    const limits = new HostLimits(HOST, ADAPTIVE_LIMITS);
    expect(limits.learn(error)).toBe(error);
    expect(widths(limits)).toEqual(expected);
  });
});

describe('a host that asks to be left alone', () => {
  const { signal } = new AbortController();

  test('until soon is waited for', () => {
    const limits = new HostLimits(HOST, ADAPTIVE_LIMITS);
    const error = refused({ status: 429, retryAt: NOW + 5 * MINUTE });
    expect(limits.learn(error)).toBe(error);
  });

  test('until much later is left for the next run', async () => {
    const limits = new HostLimits(HOST, ADAPTIVE_LIMITS);
    const deferred = {
      code: 'RATE_LIMITED',
      about: HOST,
      message: 'deferred (rate limited until 10:06 UTC)',
      transient: false,
      retryAt: NOW + 6 * MINUTE,
    };
    const learnt = limits.learn(refused({ status: 429, retryAt: NOW + 6 * MINUTE }));
    expect(learnt).toMatchObject({ message: 'no', status: 429, transient: true, deferral: deferred });
    await expect(limits.ready(signal)).rejects.toMatchObject(deferred);
    vi.setSystemTime(NOW + 6 * MINUTE);
    await limits.ready(signal);
  });

  test('until after the end of the run is left for the next one', async () => {
    const limits = new HostLimits(HOST, ADAPTIVE_LIMITS, { deadline: NOW + MINUTE });
    limits.learn(refused({ status: 429, retryAt: NOW + 2 * MINUTE }));
    await expect(limits.patience(signal)).rejects.toMatchObject({
      message: 'deferred (rate limited until 10:02 UTC)',
    });
  });

  test('keeps its reason where the request would not have been repeated anyway', () => {
    const error = refused({ status: 403, retryAt: NOW + 60 * MINUTE, transient: false });
    expect(new HostLimits(HOST, ADAPTIVE_LIMITS).learn(error)).toBe(error);
  });

  test('is not forgotten for another answer that asks for less', async () => {
    const limits = new HostLimits(HOST, ADAPTIVE_LIMITS);
    limits.learn(refused({ retryAt: NOW + 10 * MINUTE }));
    limits.learn(refused({ retryAt: NOW + MINUTE }));
    await expect(limits.patience(signal)).rejects.toMatchObject({ retryAt: NOW + 10 * MINUTE });
  });

  test('does not keep a run that is stopped', async () => {
    const limits = new HostLimits(HOST, ADAPTIVE_LIMITS);
    limits.learn(refused({ retryAt: NOW + MINUTE }));
    await expect(limits.patience(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});

test.each([
  [429, 1],
  [503, 0],
  [undefined, 0],
])('an answer %s is told as a rate limit %i times', (status, times) => {
  let told = 0;
  const limits = new HostLimits(HOST, ADAPTIVE_LIMITS, { onRateLimit: () => (told += 1) });
  limits.learn(refused(status === undefined ? {} : { status }));
  expect(told).toBe(times);
});
