import { describe, expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { pushBlob } from '../../src/registry/blob/blob-push.ts';
import { registrySource } from '../../src/registry/blob/blob-source.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { bytesContent, generatedBytes } from '../support/registry/content.ts';
import type { Fault } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';
import { APP, BYTES, DIGEST, OPENING, OTHER, pair, SOURCE, stored } from './push-pair.ts';

describe('a source', () => {
  it.each<[string, Fault]>([
    ['is wrong', { kind: 'wrong-bytes' }],
    ['is too short', { kind: 'truncate', bytes: 1000, declared: 'short' }],
    ['breaks off', { kind: 'truncate', bytes: 1000, declared: 'whole' }],
    ['is cut', { kind: 'reset-answer', afterBytes: 100_000 }],
    ['fails', { kind: 'status', status: 500 }],
  ])('that %s never completes an upload, and a second attempt does', async (_name, fault) => {
    await using test = await pair();
    test.source.fail({ match: { kind: 'blob-get' }, fault });
    expect(await test.push()).toBe('uploaded');
    expect(test.sink.storage.blob(APP, DIGEST)).toEqual(bytesContent(BYTES));
    expect(test.sink.uploads.open).toBe(0);
    expect(test.sink.journal.count({ kind: 'upload-put', when: ({ status }) => status === 201 })).toBe(1);
    expect(test.sink.journal.count({ kind: 'upload-put', when: ({ status }) => status === 400 })).toBe(0);
  });

  it('that is always wrong fails with what is wrong, and leaves nothing behind', async () => {
    await using test = await pair();
    test.source.fail({ match: { kind: 'blob-get' }, times: Infinity, fault: { kind: 'wrong-bytes' } });
    await expect(test.push()).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      about: `${test.source.host}/app@${DIGEST}`,
    });
    expect(stored(test.sink)).toBe(false);
    expect(test.sink.uploads.open).toBe(0);
    expect(test.sink.journal.count('upload-delete')).toBe(3);
    const whole = test.sink.journal.filter({
      kind: 'upload-put',
      when: ({ bytesIn }) => bytesIn === 300_000,
    });
    expect(whole).toEqual([]);
  });

  it('that sends more than announced is noticed', async () => {
    await using test = await pair();
    const digest = digestOf(BYTES.subarray(0, 100));
    test.source.storage.repository(SOURCE).blobs.add(digest);
    test.source.storage.contents.set(digest, bytesContent(BYTES));
    await expect(test.push({ descriptor: { digest, size: 100 } })).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
    expect(stored(test.sink, digest)).toBe(false);
  });

  it('that has lost the blob is replaced by another, in the same attempt', async () => {
    await using test = await pair();
    await using empty = await startRegistry();
    const absent = registrySource(test.client.registries.at(empty.host), SOURCE);
    expect(await test.push({ sources: () => [absent, test.from] })).toBe('uploaded');
    expect(empty.journal.count('blob-get')).toBe(1);
    expect(test.client.registries.traffic.get(test.sink.host)?.retried).toBe(0);
    expect(test.sink.uploads.open).toBe(0);
  });

  it('takes turns with another after a passing fault', async () => {
    await using test = await pair();
    await using second = await startRegistry();
    second.storage.putBlob(SOURCE, bytesContent(BYTES));
    test.source.fail({ match: { kind: 'blob-get' }, times: Infinity, fault: { kind: 'wrong-bytes' } });
    const other = registrySource(test.client.registries.at(second.host), SOURCE);
    expect(await test.push({ sources: () => [test.from, other] })).toBe('uploaded');
    expect([test.source.journal.count('blob-get'), second.journal.count('blob-get')]).toEqual([1, 1]);
  });

  it('that wants to be left alone for long is replaced by another, in the same attempt', async () => {
    await using test = await pair();
    await using second = await startRegistry();
    second.storage.putBlob(SOURCE, bytesContent(BYTES));
    const headers = { 'retry-after': '3600' };
    test.source.fail({
      match: { kind: 'blob-get' },
      times: Infinity,
      fault: { kind: 'status', status: 429, headers },
    });
    const other = registrySource(test.client.registries.at(second.host), SOURCE);
    expect(await test.push({ sources: () => [test.from, other] })).toBe('uploaded');
    await expect(
      test.push({ descriptor: { digest: DIGEST, size: BYTES.length }, repository: OTHER }),
    ).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringMatching(/^deferred /),
    });
  });

  it('that nobody has is told with the last reason', async () => {
    await using test = await pair();
    test.source.storage.deleteBlob(SOURCE, DIGEST);
    await expect(test.push()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(test.source.journal.count('blob-get')).toBe(1);
    expect(test.sink.uploads.open).toBe(0);
  });
});

describe('a destination', () => {
  it.each<[string, Fault]>([
    ['fails', { kind: 'status', status: 503 }],
    ['refuses at once', { kind: 'status', status: 502, early: true }],
    ['cuts the connection', { kind: 'reset-request', afterBytes: 70_000 }],
    ['resets', { kind: 'reset' }],
  ])('that %s while bytes come in gets them again', async (_name, fault) => {
    await using test = await pair();
    test.sink.fail({ match: { kind: 'upload-put' }, fault });
    expect(await test.push()).toBe('uploaded');
    expect(stored(test.sink)).toBe(true);
    expect(test.sink.uploads.open).toBe(0);
    expect(test.sink.journal.count(OPENING)).toBe(2);
  });

  it.each([
    ['before the bytes were read', 'upload-put', true, [401, 201]],
    ['when all bytes were there', 'upload-put', false, [401, 201]],
    ['before a chunk was read', 'upload-patch', true, [401, 202]],
    ['when a chunk was there', 'upload-patch', false, [401, 202]],
  ] as const)(
    'whose token ran out %s gets them again with a new one, in the same upload',
    async (_name, kind, early, statuses) => {
      await using test = await pair({ access: { mode: 'bearer', users: { keel: 'secret' } } });
      if (kind === 'upload-patch') test.sink.quirks = { putLimit: 1000 };
      // From then on it is known that the layer goes in chunks.
      await test.push({ repository: OTHER });
      test.sink.journal.clear();
      test.sink.fail({ match: { kind }, fault: { kind: 'status', status: 401, early } });
      let counted = 0;
      const onBytes = (count: number): void => {
        counted += count;
      };
      expect(await test.push({ onBytes })).toBe('uploaded');
      expect(test.sink.storage.blob(APP, DIGEST)).toEqual(bytesContent(BYTES));
      const sent = test.sink.journal.filter({ kind });
      expect(sent.map(({ status }) => status)).toEqual(statuses);
      expect(new Set(sent.map(({ headers }) => headers.authorization)).size).toBe(2);
      expect(test.sink.journal.count(OPENING)).toBe(1);
      expect(test.client.registries.traffic.get(test.sink.host)?.retried).toBe(0);
      expect(counted).toBe(BYTES.length);
    },
  );

  it('hears of it when the run ends in the middle', async () => {
    await using test = await pair();
    test.source.fail({ match: { kind: 'blob-get' }, fault: { kind: 'silence', afterBytes: 1000 } });
    const run = new AbortController();
    const sending = test.sink.journal.next({ kind: 'upload-put' });
    const pushed = test.push({ signal: run.signal });
    await sending;
    run.abort(new Error('the run is over'));
    await expect(pushed).rejects.toThrow('the run is over');
    expect(test.sink.journal.count('upload-delete')).toBe(1);
    expect(test.sink.uploads.open).toBe(0);
    expect(test.client.registry.limits.transfers.hasRoom).toBe(true);
  });

  it('gets no more transfers at a time than its limit', async () => {
    await using source = await startRegistry();
    await using sink = await startRegistry();
    const limits = { metadata: { start: 8 }, transfers: { start: 2 } };
    using client = new TestClient(sink.host, { limits });
    const from = registrySource(client.registries.at(source.host), SOURCE);
    const gate = Promise.withResolvers<void>();
    sink.fail({ match: { kind: 'upload-put' }, times: 2, fault: { kind: 'hold', until: gate.promise } });
    const blobs = Array.from({ length: 8 }, (_, index) => generatedBytes(`layer ${index}`, 200_000));
    const pushes = blobs.map((bytes) => {
      const digest = source.storage.putBlob(SOURCE, bytesContent(bytes));
      return pushBlob({
        registry: client.registry,
        repository: APP,
        descriptor: { digest, size: bytes.length },
        sources: () => [from],
        isAbsent: true,
        signal: client.signal,
      });
    });
    await expect.poll(() => sink.journal.count('upload-put')).toBe(2);
    gate.resolve();
    expect(await Promise.all(pushes)).toEqual(Array(8).fill('uploaded'));
    expect(sink.journal.peak('upload-put')).toBe(2);
    expect(source.journal.peak('blob-get')).toBeLessThanOrEqual(2);
  });
});

describe('attempts', () => {
  const passing: Fault = { kind: 'status', status: 500 };

  it('belong to each request: what costs one of them costs no other', async () => {
    await using test = await pair();
    // Two of three attempts of each, at the source while bytes are sent too.
    for (const kind of ['mount', 'upload-put'] as const) {
      test.sink.fail({ match: { kind }, times: 2, fault: passing });
    }
    test.source.fail({ match: { kind: 'blob-get' }, times: 1, fault: passing });
    const cut: Fault = { kind: 'truncate', bytes: 100_000, declared: 'whole' };
    test.source.fail({ match: { kind: 'blob-get' }, times: 1, fault: cut });
    expect(await test.push()).toBe('uploaded');
    expect(test.sink.storage.blob(APP, DIGEST)).toEqual(bytesContent(BYTES));
    expect(test.sink.uploads.open).toBe(0);
  });

  it('of the destination are not touched by a source that breaks off again and again', async () => {
    await using test = await pair();
    const cut: Fault = { kind: 'truncate', bytes: 100_000, declared: 'whole' };
    test.source.fail({ match: { kind: 'blob-get' }, times: 2, fault: cut });
    expect(await test.push()).toBe('uploaded');
    expect(test.sink.journal.count('upload-put')).toBe(1);
    expect(test.client.registries.traffic.get(test.sink.host)?.retried).toBe(0);
    const ranges = test.source.journal.filter({ kind: 'blob-get' }).map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, 'bytes=100000-299999', 'bytes=200000-299999']);
  });

  it('of the source are as many as the settings say', async () => {
    await using test = await pair();
    const cut: Fault = { kind: 'truncate', bytes: 10_000, declared: 'whole' };
    test.source.fail({ match: { kind: 'blob-get' }, times: Infinity, fault: cut });
    await expect(test.push()).rejects.toMatchObject({ about: `${test.source.host}/app@${DIGEST}` });
    expect(test.source.journal.count('blob-get')).toBe(3);
    expect(test.sink.uploads.open).toBe(0);
    expect(test.client.registry.limits.transfers.hasRoom).toBe(true);
  });

  it('of a mount that always fails are followed by an ordinary upload', async () => {
    await using test = await pair();
    test.sink.fail({ match: { kind: 'mount' }, times: Infinity, fault: passing });
    expect(await test.push({ mountFrom: OTHER })).toBe('uploaded');
    expect(test.sink.journal.count('upload-start')).toBe(1);
  });

  it('are not needed where the answer to the last byte was lost', async () => {
    await using test = await pair();
    test.sink.fail({ match: { kind: 'upload-put' }, fault: { kind: 'lost-answer' } });
    expect(await test.push()).toBe('uploaded');
    expect(test.sink.journal.count('upload-put')).toBe(1);
    expect(test.source.journal.count('blob-get')).toBe(1);
  });

  it('go on at a source that knows no ranges', async () => {
    await using source = await startRegistry({ quirks: { ignoreRange: true } });
    await using test = await pair();
    source.storage.putBlob(SOURCE, bytesContent(BYTES));
    const from = registrySource(test.client.registries.at(source.host), SOURCE);
    source.fail({
      match: { kind: 'blob-get' },
      fault: { kind: 'truncate', bytes: 100_000, declared: 'whole' },
    });
    expect(await test.push({ sources: () => [from] })).toBe('uploaded');
    expect(test.sink.journal.count('upload-put')).toBe(1);
  });
});

describe('a slow source', () => {
  it('is not given up while bytes arrive', async () => {
    await using source = await startRegistry();
    await using sink = await startRegistry();
    const bytes = generatedBytes('slow', 10_000);
    const digest = source.storage.putBlob(SOURCE, bytesContent(bytes));
    // It takes longer than the client waits for the next byte.
    const patient = { connect: milliseconds(2000), firstByte: milliseconds(2000), idle: milliseconds(2000) };
    using client = new TestClient(sink.host, { attempts: 1, timeouts: patient });
    source.fail({ match: { kind: 'blob-get' }, fault: { kind: 'trickle', bytesPerSecond: 4000 } });
    const placed = await pushBlob({
      registry: client.registry,
      repository: APP,
      descriptor: { digest, size: bytes.length },
      sources: () => [registrySource(client.registries.at(source.host), SOURCE)],
      isAbsent: true,
      signal: client.signal,
    });
    expect(placed).toBe('uploaded');
  });
});
