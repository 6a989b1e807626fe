import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { HttpFailure } from '../../src/lib/http/http-failure.ts';
import { type BlobRequest, blobPath, ContentFolder } from '../../src/pack/fetch/content-folder.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { type Fault, FileServer } from '../support/file-server.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const never = new AbortController().signal;
const BLOB = randomBytes(3 * 1024 * 1024);
const DIGEST = digestOf(BLOB);
const PATH = `/${blobPath(DIGEST)}`;

interface Setting {
  readonly server: FileServer;
  readonly request: BlobRequest;
  /** A folder as a run opens it; the same one each time, as if by another run. */
  readonly openFolder: (attempts?: number) => ContentFolder;
}

async function setUp(content: Buffer, ...faults: Fault[]): Promise<Setting> {
  const server = await FileServer.start();
  const http = new HttpClient({});
  onTestFinished(async () => {
    http.close();
    await server[Symbol.asyncDispose]();
  });
  const url = server.put(PATH, content, ...faults);
  const folder = scratchFolder();
  let received = 0;
  const request: BlobRequest = {
    descriptor: { digest: DIGEST, size: BLOB.length },
    about: 'registry.k8s.io/pause:3.10',
    signal: never,
    open: async (range, signal) => {
      received = 0;
      const headers = range === undefined ? {} : { range: `bytes=${range.start}-` };
      const answer = await http.send({ method: 'GET', url, headers, signal });
      if (answer.status === (range === undefined ? 200 : 206)) return answer;
      answer.body.destroy();
      const { status } = answer;
      throw new HttpFailure({
        code: 'REGISTRY_REFUSED',
        about: 'blob',
        message: `HTTP ${status}`,
        status,
      });
    },
    onBytes: (count) => {
      received += count;
      if (received >= 1_000_000) server.breakHeld();
    },
  };
  const openFolder = (attempts = 1): ContentFolder =>
    new ContentFolder(folder, { attempts, interval: milliseconds(1) });
  return { server, request, openFolder };
}

const rangesAsked = (server: FileServer): (string | undefined)[] =>
  server.requestsFor(PATH).map(({ headers }) => headers.range);

test('a blob is stored under its digest, and fetched once for all who ask', async () => {
  const { server, request, openFolder } = await setUp(BLOB);
  const folder = openFolder();
  const [file, same] = await Promise.all([folder.store(request), folder.store(request)]);
  expect(readFileSync(file).equals(BLOB)).toBe(true);
  expect([file, same]).toEqual([folder.pathOf(DIGEST), folder.pathOf(DIGEST)]);
  expect(server.requestsFor(PATH)).toHaveLength(1);
});

test('a cut is mended from where it happened', async () => {
  const { server, request, openFolder } = await setUp(BLOB, { kind: 'hold', after: 1_000_000 });
  expect(readFileSync(await openFolder(2).store(request)).equals(BLOB)).toBe(true);
  expect(rangesAsked(server)).toEqual([undefined, 'bytes=1000000-']);
});

test('what an earlier run left is completed by the next', async () => {
  const { server, request, openFolder } = await setUp(BLOB, { kind: 'hold', after: 1_000_000 });
  await expect(openFolder().store(request)).rejects.toMatchObject({ transient: true });
  expect(existsSync(openFolder().pathOf(DIGEST))).toBe(false);
  expect(readFileSync(await openFolder().store(request)).equals(BLOB)).toBe(true);
  expect(rangesAsked(server)).toEqual([undefined, 'bytes=1000000-']);
});

test('a registry that gives no parts is asked for the whole', async () => {
  const { server, request, openFolder } = await setUp(
    BLOB,
    { kind: 'hold', after: 1_000_000 },
    { kind: 'whole' },
  );
  expect(readFileSync(await openFolder(2).store(request)).equals(BLOB)).toBe(true);
  expect(rangesAsked(server)).toEqual([undefined, 'bytes=1000000-', undefined]);
});

test('a registry that says the range cannot be had is asked for the whole', async () => {
  const { server, request, openFolder } = await setUp(
    BLOB,
    { kind: 'hold', after: 1_000_000 },
    { kind: 'status', status: 416 },
  );
  expect(readFileSync(await openFolder(2).store(request)).equals(BLOB)).toBe(true);
  expect(rangesAsked(server)).toEqual([undefined, 'bytes=1000000-', undefined]);
});

test.each([401, 403, 404, 429])(
  'a refusal that says nothing about parts keeps what is there: %d',
  async (status) => {
    const { server, request, openFolder } = await setUp(
      BLOB,
      { kind: 'hold', after: 1_000_000 },
      { kind: 'status', status },
    );
    const folder = openFolder();
    await expect(folder.store(request)).rejects.toMatchObject({ transient: true });
    await expect(openFolder().store(request)).rejects.toMatchObject({ status });
    expect(statSync(`${folder.pathOf(DIGEST)}.part`).size).toBe(1_000_000);
    expect(readFileSync(await openFolder().store(request)).equals(BLOB)).toBe(true);
    expect(rangesAsked(server)).toEqual([undefined, 'bytes=1000000-', 'bytes=1000000-']);
  },
);

test('a blob of an earlier run is hashed, and fetched again when it is damaged', async () => {
  const { server, request, openFolder } = await setUp(BLOB);
  const file = await openFolder().store(request);
  await openFolder().store(request);
  expect(server.requestsFor(PATH)).toHaveLength(1);
  const damaged = Buffer.from(BLOB);
  damaged.writeUInt8((damaged.readUInt8(5) + 1) % 256, 5);
  writeFileSync(file, damaged);
  expect(readFileSync(await openFolder().store(request)).equals(BLOB)).toBe(true);
  expect(server.requestsFor(PATH)).toHaveLength(2);
});

test('a part that cannot become the blob is thrown away', async () => {
  const { request, openFolder } = await setUp(BLOB);
  const part = `${openFolder().pathOf(DIGEST)}.part`;
  await mkdir(dirname(part), { recursive: true });
  writeFileSync(part, Buffer.alloc(1000, 'wrong'));
  expect(readFileSync(await openFolder(2).store(request)).equals(BLOB)).toBe(true);
  expect(existsSync(part)).toBe(false);
});

test.each([
  ['DIGEST_MISMATCH', Buffer.alloc(BLOB.length, 'other')],
  ['SIZE_MISMATCH', Buffer.concat([BLOB, BLOB])],
  ['SIZE_MISMATCH', BLOB.subarray(0, 1000)],
])('%s: wrong content never gets the name', async (code, content) => {
  const { request, openFolder } = await setUp(content);
  await expect(openFolder(2).store(request)).rejects.toMatchObject({ code, about: request.about });
  expect(existsSync(openFolder().pathOf(DIGEST))).toBe(false);
});

test('an abort while what is there is hashed ends it with its reason', async () => {
  const { request, openFolder } = await setUp(BLOB);
  const file = openFolder().pathOf(DIGEST);
  await mkdir(dirname(file), { recursive: true });
  writeFileSync(file, BLOB);
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(openFolder().store({ ...request, signal })).rejects.toThrow('stopped');
});

test('an abort ends it with its reason', async () => {
  const { server, request, openFolder } = await setUp(BLOB, { kind: 'hold', after: 500_000 });
  const stop = new AbortController();
  const onBytes = (): void => stop.abort(new Error('stopped'));
  await expect(openFolder(5).store({ ...request, signal: stop.signal, onBytes })).rejects.toThrow('stopped');
  expect(server.requestsFor(PATH)).toHaveLength(1);
});
