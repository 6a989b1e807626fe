import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { BlobStore, blobPath } from '../../src/pack/fetch/blob-store.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { type Fault, FileServer } from '../support/file-server.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { type ClientChoices, TestClient } from '../support/test-client.ts';

const BLOB = randomBytes(3 * 1024 * 1024);
const DIGEST = digestOf(BLOB);
const REPOSITORY = parseRepository('pause');
const PATH = `/v2/${REPOSITORY}/blobs/${DIGEST}`;
const LAST = BLOB.length - 1;

type WantedBlob = Parameters<BlobStore['store']>[0];

interface Setting {
  readonly server: FileServer;
  /** The file in which the blob goes, and its part. */
  readonly file: string;
  readonly part: string;
  /** Stores the blob as a run of its own does. */
  readonly store: (choices?: ClientChoices & Pick<WantedBlob, 'onBytes'>) => Promise<string>;
  readonly client: (choices?: ClientChoices) => TestClient;
  readonly wanted: (client: TestClient) => WantedBlob;
  readonly folder: string;
}

/** Serves a blob at a registry that is no more than files, so that faults strike one request after the other. */
async function setUp(content: Buffer, ...faults: Fault[]): Promise<Setting> {
  const server = await FileServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.put(PATH, content, ...faults);
  const folder = scratchFolder();
  const file = new BlobStore(folder).pathOf(DIGEST);
  mkdirSync(dirname(file), { recursive: true });
  const client = (choices: ClientChoices = {}): TestClient => {
    const opened = new TestClient(parseHost(new URL(server.origin).host), { attempts: 1, ...choices });
    onTestFinished(() => opened[Symbol.dispose]());
    return opened;
  };
  let received = 0;
  const wanted = ({ registry, signal }: TestClient): WantedBlob => ({
    registry,
    repository: REPOSITORY,
    descriptor: { digest: DIGEST, size: BLOB.length },
    about: 'registry.k8s.io/pause:3.10',
    signal,
    onBytes: (count) => {
      received += count;
      if (received >= 1_000_000) server.breakHeld();
    },
  });
  const store: Setting['store'] = ({ onBytes, ...choices } = {}) => {
    const blob = wanted(client(choices));
    return new BlobStore(folder).store(onBytes === undefined ? blob : { ...blob, onBytes });
  };
  return { server, file, part: `${file}.part`, store, client, wanted, folder };
}

const rangesAsked = (server: FileServer): (string | undefined)[] =>
  server.requestsFor(PATH).map(({ headers }) => headers.range);

test('a blob is stored under its digest, and fetched once for all who ask', async () => {
  const { server, client, wanted, folder } = await setUp(BLOB);
  const blobs = new BlobStore(folder);
  const blob = wanted(client());
  const [file, same] = await Promise.all([blobs.store(blob), blobs.store(blob)]);
  expect(readFileSync(file).equals(BLOB)).toBe(true);
  expect([file, same]).toEqual([blobs.pathOf(DIGEST), `${folder}/${blobPath(DIGEST)}`]);
  expect(server.requestsFor(PATH)).toHaveLength(1);
});

test('a cut is mended from where it happened', async () => {
  const { server, store } = await setUp(BLOB, { kind: 'hold', after: 1_000_000 });
  expect(readFileSync(await store({ attempts: 2 })).equals(BLOB)).toBe(true);
  expect(rangesAsked(server)).toEqual([undefined, `bytes=1000000-${LAST}`]);
});

test('what an earlier run left is completed by the next', async () => {
  const { server, store, file } = await setUp(BLOB, { kind: 'hold', after: 1_000_000 });
  await expect(store()).rejects.toMatchObject({ transient: true });
  expect(existsSync(file)).toBe(false);
  expect(readFileSync(await store()).equals(BLOB)).toBe(true);
  expect(rangesAsked(server)).toEqual([undefined, `bytes=1000000-${LAST}`]);
});

test.each<[string, Fault]>([
  ['gives no parts', { kind: 'whole' }],
  ['says that the range cannot be had', { kind: 'status', status: 416 }],
  ['takes a range for a bad request', { kind: 'status', status: 400 }],
  ['allows no ranges', { kind: 'status', status: 405 }],
  ['has not implemented ranges', { kind: 'status', status: 501 }],
])('a registry that %s is asked for the whole', async (_, fault) => {
  const { server, store, part } = await setUp(BLOB, fault);
  writeFileSync(part, BLOB.subarray(0, 1_000_000));
  expect(readFileSync(await store()).equals(BLOB)).toBe(true);
  expect(rangesAsked(server)).toEqual([`bytes=1000000-${LAST}`, undefined]);
});

test.each<[number, Record<string, string>]>([
  [401, {}],
  [403, {}],
  [404, {}],
  [429, {}],
  [429, { 'retry-after': '3600' }],
])('a refusal that says nothing about parts keeps what is there: %d %j', async (status, headers) => {
  const { server, store, part } = await setUp(BLOB, { kind: 'status', status, headers });
  writeFileSync(part, BLOB.subarray(0, 1_000_000));
  await expect(store()).rejects.toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) });
  expect(statSync(part).size).toBe(1_000_000);
  expect(readFileSync(await store()).equals(BLOB)).toBe(true);
  expect(rangesAsked(server)).toEqual([`bytes=1000000-${LAST}`, `bytes=1000000-${LAST}`]);
});

test('a second attempt is one of the registry: it is counted and told, and holds no slot while it waits', async () => {
  const { store, client, wanted, folder } = await setUp(BLOB, { kind: 'status', status: 503 });
  const rooms: boolean[] = [];
  const opened = client({
    attempts: 2,
    limits: { metadata: { start: 1 }, transfers: { start: 1 } },
    onRetry: () => rooms.push(opened.registry.limits.transfers.hasRoom),
  });
  await new BlobStore(folder).store(wanted(opened));
  expect(rooms).toEqual([true]);
  expect([...opened.registries.traffic.values()]).toEqual([{ requests: 3, retried: 1, rateLimited: 0 }]);
  await store();
});

test('a registry that asks for patience is waited for without a slot', async () => {
  const { server, client, wanted, folder } = await setUp(BLOB, {
    kind: 'status',
    status: 503,
    headers: { 'retry-after': '60' },
  });
  const run = new AbortController();
  const opened = client({ limits: { metadata: { start: 1 }, transfers: { start: 1 } }, signal: run.signal });
  const blobs = new BlobStore(folder);
  await expect(blobs.store(wanted(opened))).rejects.toMatchObject({ status: 503 });
  const waiting = blobs.store(wanted(opened));
  waiting.catch(() => undefined);
  // Neither for a slot nor for the disk does it take so long to be at its wait, and it does not end before.
  for (let turn = 0; turn < 1000; turn += 1) await setImmediate();
  expect(opened.registry.limits.transfers.hasRoom).toBe(true);
  run.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  expect(server.requestsFor(PATH)).toHaveLength(1);
});

test('a blob of an earlier run is hashed, and fetched again when it is damaged', async () => {
  const { server, store } = await setUp(BLOB);
  const file = await store();
  await store();
  expect(server.requestsFor(PATH)).toHaveLength(1);
  const damaged = Buffer.from(BLOB);
  damaged.writeUInt8((damaged.readUInt8(5) + 1) % 256, 5);
  writeFileSync(file, damaged);
  expect(readFileSync(await store()).equals(BLOB)).toBe(true);
  expect(server.requestsFor(PATH)).toHaveLength(2);
});

test('a part that cannot become the blob is thrown away', async () => {
  const { store, part } = await setUp(BLOB);
  writeFileSync(part, Buffer.alloc(1000, 'wrong'));
  expect(readFileSync(await store({ attempts: 2 })).equals(BLOB)).toBe(true);
  expect(existsSync(part)).toBe(false);
});

test.each([
  ['DIGEST_MISMATCH', Buffer.alloc(BLOB.length, 'other')],
  ['SIZE_MISMATCH', Buffer.concat([BLOB, BLOB])],
  ['SIZE_MISMATCH', BLOB.subarray(0, 1000)],
])('%s: wrong content never gets the name', async (code, content) => {
  const { store, file } = await setUp(content);
  await expect(store({ attempts: 2 })).rejects.toMatchObject({ code, about: 'registry.k8s.io/pause:3.10' });
  expect(existsSync(file)).toBe(false);
});

test('an abort while what is there is hashed ends it with its reason', async () => {
  const { store, file } = await setUp(BLOB);
  writeFileSync(file, BLOB);
  await expect(store({ signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
});

test('an abort ends it with its reason', async () => {
  const { server, store } = await setUp(BLOB, { kind: 'hold', after: 500_000 });
  const stop = new AbortController();
  const onBytes = (): void => stop.abort(new Error('stopped'));
  await expect(store({ attempts: 5, signal: stop.signal, onBytes })).rejects.toThrow('stopped');
  expect(server.requestsFor(PATH)).toHaveLength(1);
});
