import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Duration, milliseconds } from '../../src/lib/duration.ts';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { bytesContent, generatedBytes } from '../support/registry/content.ts';
import { type FaultRule, htmlError, rateLimited } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';
import { bring } from './push-pair.ts';

const APP = parseRepository('app');
const OTHER = parseRepository('other');
const TAG = parseTag('1.0');
const TIMEOUTS = { connect: milliseconds(2000), firstByte: milliseconds(1500), idle: milliseconds(1500) };

describe('a host that asks for patience', () => {
  it('is left alone as a whole until then, and other hosts are not', async () => {
    await using server = await startRegistry();
    await using elsewhere = await startRegistry();
    for (const { storage } of [server, elsewhere]) {
      for (const name of ['app', 'other']) seedImage(storage, name, { tags: ['1.0'] });
    }
    const run = new AbortController();
    using client = new TestClient(server.host, { signal: run.signal });
    await client.registry.ping();
    server.fail({ match: { kind: 'manifest-head' }, fault: rateLimited(60) });
    const first = client.registry.findManifest(APP, TAG, run.signal);
    await expect.poll(() => client.registries.traffic.get(server.host)?.rateLimited).toBe(1);
    const second = client.registry.listTags(OTHER, run.signal);
    await client.registries.at(elsewhere.host).listTags(APP, run.signal);
    expect(server.journal.count('tags-list')).toBe(0);
    run.abort(new Error('enough'));
    for (const asked of await Promise.allSettled([first, second])) expect(asked.status).toBe('rejected');
    expect(server.journal.count('manifest-head')).toBe(1);
  });

  it('is asked again when its time has come', async () => {
    await using server = await startRegistry();
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host);
    server.fail({ match: { kind: 'manifest-head' }, fault: rateLimited(1) });
    const asked = performance.now();
    await client.registry.findManifest(APP, TAG, client.signal);
    // Timers may fire a little before the time that a clock tells.
    expect(performance.now() - asked).toBeGreaterThan(950);
    expect(server.journal.count('manifest-head')).toBe(2);
  });

  it('may say so with a date', async () => {
    await using server = await startRegistry();
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    // Dates have whole seconds.
    const until = new Date(Math.ceil((Date.now() + 500) / 1000) * 1000);
    server.fail({ match: { kind: 'tags-list' }, fault: rateLimited(until, 503) });
    using client = new TestClient(server.host);
    await client.registry.listTags(APP, client.signal);
    expect(Date.now()).toBeGreaterThanOrEqual(until.getTime() - 5);
  });

  it.each([
    ['six minutes', 360, undefined],
    ['longer than the run lasts', 60, 30_000],
  ])('for %s is put off to the next run', async (_name, seconds, left) => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'tags-list' }, fault: rateLimited(seconds) });
    const deadline = left === undefined ? {} : { deadline: Date.now() + left };
    using client = new TestClient(server.host, deadline);
    for (const name of [APP, OTHER]) {
      await expect(client.registry.listTags(name, client.signal)).rejects.toMatchObject({
        code: 'RATE_LIMITED',
        about: server.host,
        message: expect.stringMatching(/^deferred \(rate limited until \d\d:\d\d UTC\)$/),
      });
    }
    expect(server.journal.count('tags-list')).toBe(1);
    // What is put off is not tried again.
    expect(client.registries.traffic.get(server.host)).toMatchObject({ retried: 0, rateLimited: 1 });
  });

  it('stops waiting when the run ends', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'tags-list' }, fault: rateLimited(60) });
    const run = new AbortController();
    using client = new TestClient(server.host, { signal: run.signal });
    const listed = client.registry.listTags(APP, run.signal);
    await expect.poll(() => client.registries.traffic.get(server.host)?.rateLimited).toBe(1);
    run.abort(new Error('the run is over'));
    await expect(listed).rejects.toThrow('the run is over');
  });

  it('halves what is asked of it at a time', async () => {
    await using server = await startRegistry();
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    const limits = { metadata: { start: 8, ceiling: 64 }, transfers: { start: 4, ceiling: 8 } };
    using client = new TestClient(server.host, { limits });
    server.fail({ match: { kind: 'tags-list' }, fault: rateLimited(0) });
    await client.registry.listTags(APP, client.signal);
    expect(client.registry.limits.metadata.width).toBe(4);
    expect(client.registry.limits.transfers.width).toBe(2);
  });

  it('is never asked for more at a time than the limit says', async () => {
    await using server = await startRegistry();
    for (let number = 0; number < 12; number += 1) seedImage(server.storage, `app${number}`);
    const gate = Promise.withResolvers<void>();
    server.fail({
      match: { kind: 'tags-list' },
      times: Infinity,
      fault: { kind: 'hold', until: gate.promise },
    });
    using client = new TestClient(server.host, {
      limits: { metadata: { start: 3 }, transfers: { start: 1 } },
    });
    const third = Array.from({ length: 12 }, (_, number) => parseRepository(`app${number}`));
    const listed = Promise.all(third.map((name) => client.registry.listTags(name, client.signal)));
    await expect.poll(() => server.journal.count('tags-list')).toBe(3);
    gate.resolve();
    await listed;
    expect(server.journal.peak('tags-list')).toBe(3);
    expect(server.journal.connections()).toBeLessThanOrEqual(4);
  });
});

describe('a limit for silence knows what is waited for', () => {
  /** Nothing may stand still for long, except for what takes its time. */
  const HASTY = { connect: milliseconds(20_000), firstByte: milliseconds(150), idle: milliseconds(1000) };
  const LONG = milliseconds(600_000);
  /** Enough for chunks. */
  const LARGE = 2 * 1024 * 1024;
  /** More than all limits that are short. */
  const LATE_MILLISECONDS = 1500;
  const STEP_MILLISECONDS = 50;

  const passing: Promise<void>[] = [];

  // For who waits for an answer, time passes only where a test says so: how fast this machine is does not decide.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  afterEach(async () => {
    await Promise.all(passing.splice(0));
    vi.useRealTimers();
  });

  /** Lets more time pass than an answer may usually take, and than bytes may stand still. */
  async function passTime(): Promise<void> {
    for (let passed = 0; passed < LATE_MILLISECONDS; passed += STEP_MILLISECONDS) {
      await sleep(STEP_MILLISECONDS);
      vi.advanceTimersByTime(HASTY.firstByte);
    }
  }

  /** Lets a request be answered late. */
  function late(kind: RequestKind): FaultRule {
    const { promise: passed, resolve } = Promise.withResolvers<void>();
    const when = (): boolean => {
      passing.push(passTime().then(resolve));
      return true;
    };
    return { match: { kind, when }, fault: { kind: 'hold', until: passed } };
  }

  /** Brings a layer from one registry to another and returns the statuses of the requests of this kind. */
  async function pushed(
    kind: RequestKind,
    faults: readonly FaultRule[],
    size = 300_000,
    limits: Partial<typeof TIMEOUTS> & { readonly content?: Duration } = {},
    choices: Parameters<typeof bring>[3] = {},
  ): Promise<number[]> {
    await using source = await startRegistry();
    await using server = await startRegistry();
    const digest = source.storage.putBlob(APP, bytesContent(generatedBytes('layer', size)));
    for (const rule of faults) server.fail(rule);
    for (const rule of faults) if (rule.match?.kind === 'blob-get') source.fail(rule);
    const timeouts = { ...HASTY, content: LONG, work: LONG, ...limits };
    using client = new TestClient(server.host, { timeouts });
    await bring(client, source, { digest, size }, choices);
    return [source, server].flatMap(({ journal }) => journal.filter({ kind }).map(({ status }) => status));
  }

  it('the end of a layer may be worked on, and the layer is sent once', async () => {
    expect(await pushed('upload-put', [late('upload-put')])).toEqual([201]);
  });

  it('a part of a layer may be worked on, and so may its end', async () => {
    const inParts: FaultRule = { match: { kind: 'upload-put' }, fault: htmlError(413) };
    const slow = () => [inParts, late('upload-patch'), late('upload-put')];
    expect(await pushed('upload-patch', slow(), LARGE)).toEqual([202]);
    expect(await pushed('upload-put', slow(), LARGE)).toEqual([413, 201]);
  });

  it('a source may begin late', async () => {
    expect(await pushed('blob-get', [late('blob-get')])).toEqual([200]);
  });

  it('a layer may take its time while its bytes flow', async () => {
    const rule = {
      match: { kind: 'blob-get' },
      fault: { kind: 'trickle', bytesPerSecond: 100_000 },
    } as const;
    const limit = milliseconds(20_000);
    let passed = 0;
    const onBytes = (): void => {
      passed += limit;
      vi.advanceTimersByTime(limit);
    };
    // What is silent for that long in earnest would be another fault.
    const limits = { content: limit, idle: LONG };
    expect(await pushed('upload-put', [rule], 50_000, limits, { onBytes })).toEqual([201]);
    expect(passed).toBeGreaterThan(3 * limit);
  });

  it('a source that falls silent is named, and not the destination that waits for it', async () => {
    await using source = await startRegistry();
    await using server = await startRegistry();
    const size = 300_000;
    const digest = source.storage.putBlob(APP, bytesContent(generatedBytes('layer', size)));
    const fault = { kind: 'silence', afterBytes: 100_000 } as const;
    source.fail({ match: { kind: 'blob-get' }, times: Infinity, fault });
    const timeouts = { ...HASTY, firstByte: LONG };
    using client = new TestClient(server.host, { timeouts, attempts: 1 });
    const pushing = bring(client, source, { digest, size });
    const about = source.host;
    await expect(pushing).rejects.toMatchObject({ code: 'TIMED_OUT', about });
  });

  it('a destination that takes no bytes is named, and not the source that waits for it', async () => {
    await using source = await startRegistry();
    await using server = await startRegistry();
    const size = 40 * 1024 * 1024;
    const digest = source.storage.putBlob(APP, bytesContent(generatedBytes('layer', size)));
    const never = new Promise(() => undefined);
    server.fail({ match: { kind: 'upload-put' }, fault: { kind: 'hold', until: never } });
    const timeouts = { ...HASTY, firstByte: LONG };
    using client = new TestClient(server.host, { timeouts, attempts: 1 });
    const pushing = bring(client, source, { digest, size });
    await expect(pushing).rejects.toMatchObject({ code: 'TIMED_OUT', about: server.host });
    expect(source.journal.count('blob-get')).toBe(1);
  });

  it('a manifest may be worked on, and is sent once', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail(late('manifest-put'));
    using client = new TestClient(server.host, { timeouts: { ...HASTY, work: LONG } });
    await client.registry.putManifest(APP, TAG, image, client.signal);
    expect(server.journal.count('manifest-put')).toBe(1);
  });

  it('a question is not waited for as long', async () => {
    await using server = await startRegistry();
    server.fail(late('tags-list'));
    const timeouts = { ...HASTY, content: LONG, work: LONG };
    using client = new TestClient(server.host, { timeouts, attempts: 1 });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: 'no answer within 150 ms',
    });
  });
});

describe('attempts', () => {
  it.each([408, 500, 502, 503, 504])('go on after %d', async (status) => {
    await using server = await startRegistry();
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail({ match: { kind: 'tags-list' }, times: 2, fault: htmlError(status) });
    using client = new TestClient(server.host);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
  });

  it.each([400, 403, 404, 405, 410])('end at %d', async (status) => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'manifest-get' }, times: Infinity, fault: htmlError(status) });
    using client = new TestClient(server.host);
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({ status });
    expect(server.journal.count('manifest-get')).toBe(1);
  });

  it('are as many as the settings say, and the last failure is told', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'tags-list' }, times: Infinity, fault: htmlError(502) });
    const told: number[] = [];
    using client = new TestClient(server.host, { attempts: 4, onRetry: (_, attempt) => told.push(attempt) });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: 'cannot list its tags, the registry answered 502',
    });
    expect(told).toEqual([1, 2, 3]);
    expect(server.journal.count('tags-list')).toBe(4);
  });

  it('go on after a connection that was cut or fell silent', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'app', { tags: ['1.0'] });
    for (const fault of [
      { kind: 'reset' },
      { kind: 'silence' },
      { kind: 'reset-answer', afterBytes: 20 },
      { kind: 'silence', afterBytes: 20 },
    ] as const) {
      server.fail({ match: { kind: 'manifest-get' }, fault });
    }
    using client = new TestClient(server.host, { attempts: 5, timeouts: TIMEOUTS });
    expect((await client.registry.getManifest(APP, TAG, client.signal)).digest).toBe(image.digest);
    // A reset of a kept connection is repeated at once, without counting as an attempt.
    expect(server.journal.count('manifest-get')).toBe(5);
  });

  it('end with TIMED_OUT where no answer ever comes', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'tags-list' }, times: Infinity, fault: { kind: 'silence' } });
    using client = new TestClient(server.host, { attempts: 2, timeouts: TIMEOUTS });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({ code: 'TIMED_OUT' });
  });

  it('stop at once when the run ends', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'tags-list' }, fault: { kind: 'silence' } });
    const run = new AbortController();
    using client = new TestClient(server.host, { signal: run.signal });
    const asked = server.journal.next({ kind: 'tags-list' });
    const listed = client.registry.listTags(APP, run.signal);
    await asked;
    run.abort(new Error('the run is over'));
    await expect(listed).rejects.toThrow('the run is over');
    expect(server.journal.count('tags-list')).toBe(1);
  });
});
