import { createServer, type ServerResponse } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codingsOf } from '../../src/lib/http/content-coding.ts';
import { HttpClient, readBody } from '../../src/lib/http/http.ts';
import { pushBlob } from '../../src/registry/blob/blob-push.ts';
import { registrySource } from '../../src/registry/blob/blob-source.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { readBlob } from '../../src/registry/small-blob.ts';
import { originOf } from '../support/file-server.ts';
import { bytesContent, generatedBytes } from '../support/registry/content.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const TAG = parseTag('1.0');
const CONTENT = Buffer.from('what was asked for, and nothing else');
const { signal } = new AbortController();
let answer: (response: ServerResponse) => void = () => undefined;
let asked: (string | string[] | undefined)[] = [];
const server = createServer((request, response) => {
  asked.push(request.headers['accept-encoding']);
  answer(response);
});
let client = new HttpClient();

beforeEach(async () => {
  client = new HttpClient();
  asked = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  client.close();
  server.closeAllConnections();
  server.close();
});

const get = (method = 'GET', own = false) =>
  client.send({ method, url: new URL(originOf(server)), headers: {}, signal, isOwnCoding: () => own });

function answers(status: number, coding: string, body: Buffer): void {
  answer = (response) => {
    response.writeHead(status, { 'content-encoding': coding, 'content-length': body.length });
    response.end(body);
  };
}

it.each([
  [undefined, []],
  ['identity', []],
  ['', []],
  ['GZIP', ['gzip']],
  ['deflate, gzip', ['deflate', 'gzip']],
])('the codings in %j are %j', (header, expected) => {
  expect(codingsOf({ 'content-encoding': header })).toEqual(expected);
});

describe('a compressed answer is declined, and undone where it comes all the same', () => {
  it.each([
    ['gzip', gzipSync(CONTENT)],
    ['x-gzip', gzipSync(CONTENT)],
    ['deflate', deflateSync(CONTENT)],
    // Some servers leave the header out, against RFC 9110.
    ['deflate', deflateRawSync(CONTENT)],
    ['deflate, gzip', gzipSync(deflateRawSync(CONTENT))],
    ['gzip, deflate', deflateRawSync(gzipSync(CONTENT))],
    ['br', brotliCompressSync(CONTENT)],
    ['zstd', zstdCompressSync(CONTENT)],
    // Each frame is a whole, and all of them are the answer (RFC 8878, 3).
    [
      'zstd',
      Buffer.concat([CONTENT.subarray(0, 9), CONTENT.subarray(9)].map((part) => zstdCompressSync(part))),
    ],
    ['deflate, gzip', gzipSync(deflateSync(CONTENT))],
    ['identity', CONTENT],
    // Nobody can undo what nobody knows; its digest tells.
    ['private', CONTENT],
  ])('%s', async (coding, body) => {
    answers(200, coding, body);
    expect(await readBody(await get(), 1000)).toEqual(CONTENT);
    expect(asked).toEqual(['identity']);
  });

  it('of an error, too', async () => {
    answers(404, 'gzip', gzipSync(CONTENT));
    expect(await readBody(await get(), 1000)).toEqual(CONTENT);
  });

  it.each([200, 404])('without content: %d', async (status) => {
    answers(status, 'gzip', Buffer.alloc(0));
    expect(await readBody(await get(), 1000)).toEqual(Buffer.alloc(0));
  });

  it('but not of a part, which is one of the whole', async () => {
    answers(206, 'gzip', CONTENT);
    expect(await readBody(await get(), 1000)).toEqual(CONTENT);
  });

  it('but not where what was asked for is an archive', async () => {
    answers(200, 'gzip', gzipSync(CONTENT));
    expect(await readBody(await get('GET', true), 1000)).toEqual(gzipSync(CONTENT));
  });

  it('and HEAD has no content', async () => {
    answers(200, 'gzip', gzipSync(CONTENT));
    expect(await readBody(await get('HEAD'), 1000)).toEqual(Buffer.alloc(0));
    expect(asked).toEqual(['identity']);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['zstd', zstdCompressSync],
  ] as const)('and what it inflates to is limited: %s', async (coding, compress) => {
    answers(200, coding, compress(Buffer.alloc(64 * 1024 * 1024)));
    expect(await readBody(await get(), 1024 * 1024)).toBeUndefined();
  });

  it.each<[string, Buffer, string?]>([
    ['cut', gzipSync(CONTENT).subarray(0, 20)],
    ['not what it says', CONTENT],
    ['not what it says', CONTENT, 'br'],
    ['not what it says', CONTENT, 'zstd'],
    ['cut', zstdCompressSync(CONTENT).subarray(0, 20), 'zstd'],
    ['followed by something else', Buffer.concat([zstdCompressSync(CONTENT), CONTENT]), 'zstd'],
    ['not what it says', CONTENT, 'deflate'],
    ['cut', deflateSync(CONTENT).subarray(0, 20), 'deflate'],
    ['cut', deflateRawSync(CONTENT).subarray(0, 20), 'deflate'],
  ])('and one that is %s is damaged', async (_name, body, coding = 'gzip') => {
    answers(200, coding, body);
    await expect(readBody(await get(), 1000)).rejects.toMatchObject({
      message: expect.stringMatching(/^its compressed answer is damaged \(\w+\)$/),
      transient: true,
    });
  });
});

/** Stands before a registry and compresses all it answers. */
async function compressing(registry: TestRegistry) {
  const before = createServer((request, response) => {
    const { host: _, ...headers } = request.headers;
    const names = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    fetch(`${registry.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: Object.fromEntries(names),
    })
      .then(async (got) => {
        const body = gzipSync(Buffer.from(await got.arrayBuffer()));
        const kept = [...got.headers].filter(
          ([name]) => !['content-length', 'connection', 'keep-alive'].includes(name),
        );
        response.writeHead(got.status, { ...Object.fromEntries(kept), 'content-encoding': 'gzip' });
        response.end(request.method === 'HEAD' ? undefined : body);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => before.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    before.closeAllConnections();
    before.close();
  };
  return { host: parseHost(new URL(originOf(before)).host), [Symbol.dispose]: stop };
}

it('all that a registry says is understood where something compresses it', async () => {
  await using registry = await startRegistry();
  await using sink = await startRegistry();
  const image = seedImage(registry.storage, 'app', { tags: ['1.0'] });
  const layer = generatedBytes('layer', 300_000);
  registry.storage.putBlob('app', bytesContent(layer));
  using before = await compressing(registry);
  using user = new TestClient(before.host, { attempts: 1 });
  const source = user.registry;
  await source.ping();
  expect((await source.listTags(APP, signal)).tags).toEqual(['1.0']);
  expect((await source.getManifest(APP, TAG, signal)).digest).toBe(image.digest);
  expect(await source.findManifest(APP, TAG, signal)).toMatchObject({ digest: image.digest });
  const target = user.registries.at(sink.host);
  const descriptor = { digest: digestOf(layer), size: layer.length };
  const sources = () => [registrySource(source, APP)];
  await pushBlob({ registry: target, repository: APP, descriptor, sources, isAbsent: true, signal });
  expect(sink.storage.blob(APP, descriptor.digest)).toBeDefined();
});

it('a layer that a store calls encoded, because it is an archive, is taken as it is', async () => {
  await using registry = await startRegistry();
  const archive = gzipSync(generatedBytes('layer', 1000));
  const digest = registry.storage.putBlob('app', bytesContent(archive));
  const own = { 'content-encoding': 'gzip', 'content-length': String(archive.length) };
  registry.fail({
    match: { kind: 'blob-get' },
    fault: { kind: 'made', headers: () => own, pieces: () => [archive] },
  });
  using user = new TestClient(registry.host, { attempts: 1 });
  await user.registry.ping();
  const descriptor = { digest, size: archive.length, mediaType: 'l' };
  expect(await readBlob(user.registry, APP, descriptor, signal)).toEqual(archive);
});
