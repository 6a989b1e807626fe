import { describe, expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { type BlobPush, pushBlob } from '../../src/registry/blob-push.ts';
import { registrySource } from '../../src/registry/blob-source.ts';
import { type Digest, digestOf } from '../../src/registry/digest.ts';
import { parseRepository } from '../../src/registry/reference.ts';
import { bytesContent, generatedBytes } from '../support/registry/content.ts';
import type { Fault } from '../support/registry/faults.ts';
import type { RequestMatch } from '../support/registry/journal.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('keel/app');
const OTHER = parseRepository('keel/other');
const SOURCE = parseRepository('app');
const LOGIN = { username: 'keel', password: 'secret' };
const BYTES = generatedBytes('layer', 300_000);
const DIGEST = digestOf(BYTES);

/** A source that holds the layer, a destination, and a way to push from one to the other. */
async function pair(options: Parameters<typeof startRegistry>[0] = {}) {
  const source = await startRegistry();
  const sink = await startRegistry(options);
  source.storage.putBlob(SOURCE, bytesContent(BYTES));
  const client = new TestClient(sink.host, { login: LOGIN });
  const from = registrySource(client.registries.at(source.host), SOURCE);
  const push = (choices: Partial<BlobPush> = {}) =>
    pushBlob({
      registry: client.registry,
      repository: APP,
      descriptor: { digest: DIGEST, size: BYTES.length },
      sources: () => [from],
      isAbsent: true,
      signal: client.signal,
      ...choices,
    });
  return {
    source,
    sink,
    client,
    from,
    push,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await Promise.all([source.close(), sink.close()]);
    },
  };
}

function stored(sink: TestRegistry, digest: Digest = DIGEST): boolean {
  return sink.storage.blob(APP, digest) !== undefined;
}

/** An upload is opened with or without asking for the layer at the same time. */
const OPENING: RequestMatch = { kind: ['mount', 'upload-start'] };

function requests(sink: TestRegistry): string[] {
  return sink.journal.entries.map(({ kind }) => kind).filter((kind) => kind !== 'ping' && kind !== 'token');
}

describe('a blob', () => {
  it('that is new costs two requests', async () => {
    await using test = await pair();
    expect(await test.push()).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'upload-put']);
    expect(requests(test.source)).toEqual(['blob-get']);
    expect(stored(test.sink)).toBe(true);
    const [put] = test.sink.journal.filter({ kind: 'upload-put' });
    expect(put?.headers['content-length']).toBe('300000');
    expect(put?.bytesIn).toBe(300_000);
  });

  it('that another repository holds is mounted: one request, and none at the source', async () => {
    await using test = await pair();
    test.sink.storage.putBlob(OTHER, bytesContent(BYTES));
    expect(await test.push({ mountFrom: OTHER })).toBe('mounted');
    expect(requests(test.sink)).toEqual(['mount']);
    expect(test.source.journal.entries).toEqual([]);
    expect(stored(test.sink)).toBe(true);
  });

  it('that is there already is seen by one request, a mount from the repository itself', async () => {
    await using test = await pair();
    test.sink.storage.putBlob(APP, bytesContent(BYTES));
    expect(await test.push({ isAbsent: false })).toBe('present');
    expect(requests(test.sink)).toEqual(['mount']);
    expect(test.sink.uploads.open).toBe(0);
  });

  it('that may be there, and is not, costs no request more than a new one', async () => {
    await using test = await pair();
    expect(await test.push({ isAbsent: false })).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'upload-put']);
  });

  it('without a byte is sent like any other', async () => {
    await using test = await pair();
    const digest = digestOf(Buffer.alloc(0));
    test.source.storage.putBlob(SOURCE, bytesContent(''));
    expect(await test.push({ descriptor: { digest, size: 0 } })).toBe('uploaded');
    expect(stored(test.sink, digest)).toBe(true);
  });

  it.each<Quirks>([{ uploadLocation: 'absolute' }, { uploadLocation: 'relative' }])(
    'goes where the registry says: %o',
    async (quirks) => {
      await using test = await pair({ quirks });
      expect(await test.push()).toBe('uploaded');
      const [put] = test.sink.journal.filter({ kind: 'upload-put' });
      expect(put?.query.get('_state')).toMatch(/^[0-9a-f-]{36}$/);
      expect(put?.query.get('digest')).toBe(DIGEST);
    },
  );

  it('is uploaded elsewhere without the login, if the registry says so', async () => {
    await using test = await pair({ access: { mode: 'basic', users: { keel: 'secret' } } });
    await using elsewhere = await startRegistry({ quirks: { uploadLocation: 'absolute' } });
    const opened = await fetch(`${elsewhere.url}/v2/keel/app/blobs/uploads/`, { method: 'POST' });
    const headers = { location: opened.headers.get('location') ?? '' };
    test.sink.fail({ match: OPENING, fault: { kind: 'status', status: 202, headers } });
    expect(await test.push()).toBe('uploaded');
    expect(stored(elsewhere)).toBe(true);
    const [put] = elsewhere.journal.filter({ kind: 'upload-put' });
    expect(put?.headers.authorization).toBeUndefined();
  });
});

describe('a mount', () => {
  it.each([400, 401, 403, 404, 405])('refused with %d is followed by an upload', async (status) => {
    await using test = await pair();
    test.sink.fail({ match: { kind: 'mount' }, fault: { kind: 'status', status } });
    test.sink.storage.putBlob(OTHER, bytesContent(BYTES));
    expect(await test.push({ mountFrom: OTHER })).toBe('uploaded');
    const froms = test.sink.journal.filter({ kind: 'mount' }).map(({ query }) => query.get('from'));
    expect(froms).toEqual([OTHER, APP]);
    expect(test.sink.journal.count('upload-put')).toBe(1);
    expect(test.sink.uploads.open).toBe(0);
  });

  it('that opens an upload is used as one', async () => {
    await using test = await pair();
    expect(await test.push({ mountFrom: OTHER })).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'upload-put']);
  });

  it('from itself is trusted no more after it was wrong about a large blob', async () => {
    await using test = await pair({ quirks: { selfMountOpensUpload: true } });
    const size = 9 * 1024 * 1024;
    const digest = test.sink.storage.putBlob(APP, bytesContent(Buffer.alloc(size)));
    const descriptor = { digest, size };
    expect(await test.push({ descriptor, isAbsent: false })).toBe('present');
    expect(requests(test.sink)).toEqual(['mount', 'blob-head', 'upload-delete']);
    test.sink.journal.clear();
    expect(await test.push({ descriptor, isAbsent: false })).toBe('present');
    expect(requests(test.sink)).toEqual(['blob-head']);
    expect(test.source.journal.entries).toEqual([]);
  });

  it('from itself that is refused is not tried again', async () => {
    await using test = await pair({ quirks: { refuseMount: 405 } });
    expect(await test.push({ isAbsent: false })).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'blob-head', 'upload-start', 'upload-put']);
    test.sink.journal.clear();
    expect(await test.push({ isAbsent: false })).toBe('present');
    expect(requests(test.sink)).toEqual(['blob-head']);
  });

  it('is not believed where the registry contradicted itself', async () => {
    await using test = await pair();
    expect(await test.push({ isAbsent: false, isDoubted: true })).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['blob-head', 'upload-start', 'upload-put']);
  });
});

describe('a source', () => {
  it.each<[string, Fault, number]>([
    ['is wrong', { kind: 'wrong-bytes' }, 200],
    ['is too short', { kind: 'truncate', bytes: 1000, declared: 'short' }, 200],
    ['breaks off', { kind: 'truncate', bytes: 1000, declared: 'whole' }, 200],
    ['is cut', { kind: 'reset-answer', afterBytes: 100_000 }, 200],
    ['fails', { kind: 'status', status: 500 }, 500],
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

  it('whose token ran out before the bytes were sent is logged in to again', async () => {
    await using test = await pair({ access: { mode: 'bearer', users: { keel: 'secret' } } });
    const started = test.sink.journal.next(OPENING);
    const pushed = test.push();
    await started;
    test.sink.fail({ match: { kind: 'upload-put' }, fault: { kind: 'status', status: 401 } });
    expect(await pushed).toBe('uploaded');
    expect(stored(test.sink)).toBe(true);
  });

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

describe('a slow source', () => {
  it('is not given up while bytes arrive', async () => {
    await using source = await startRegistry();
    await using sink = await startRegistry();
    const bytes = generatedBytes('slow', 10_000);
    const digest = source.storage.putBlob(SOURCE, bytesContent(bytes));
    const patient = { connect: milliseconds(2000), firstByte: milliseconds(300), idle: milliseconds(300) };
    using client = new TestClient(sink.host, { attempts: 1, timeouts: patient });
    source.fail({ match: { kind: 'blob-get' }, fault: { kind: 'trickle', bytesPerSecond: 15_000 } });
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
