import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { BodyWriter } from '../../src/lib/http/http.ts';
import { inspectUpload, putWhole } from '../../src/registry/blob/blob-upload.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { TestClient } from '../support/test-client.ts';
import { APP, BYTES, DIGEST, pair } from './push-pair.ts';

describe('the address that ends an upload', () => {
  it.each([
    ['/u/1', `/u/1?digest=sha256%3A${DIGEST.slice('sha256:'.length)}`],
    // What a registry signed may not be written in another way.
    ['/u/1?_state=a%2fb+c==&x', `/u/1?_state=a%2fb+c==&x&digest=sha256%3A${DIGEST.slice('sha256:'.length)}`],
  ])('is %s and the digest', async (location, expected) => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      request.resume().once('end', () => response.writeHead(201).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const host = parseHost(
      `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : ''}`,
    );
    using client = new TestClient(host);
    const upload = { repository: APP, location: new URL(location, `http://${host}`), smallestChunk: 0 };
    const body: BodyWriter = async (sink) => void sink.end(BYTES);
    const descriptor = { digest: DIGEST, size: BYTES.length };
    expect(await putWhole(client.registry, upload, descriptor, body, client.signal)).toBe(201);
    server.close();
    expect(asked).toEqual([expected]);
  });
});

describe('the bytes that an upload holds', () => {
  it.each([
    ['0-9', 10],
    ['bytes=0-9', 10],
    ['0-65535', 65_536],
    ['0-0', 0],
  ])('%j are %d', async (range, received) => {
    await using world = await pair();
    const headers = { range };
    world.sink.fail({ match: { kind: 'upload-status' }, fault: { kind: 'status', status: 204, headers } });
    const location = new URL(`${world.sink.url}/v2/${APP}/blobs/uploads/1`);
    const upload = { repository: APP, location, smallestChunk: 0 };
    const { registry, signal } = world.client;
    expect(await inspectUpload(registry, upload, signal)).toEqual({ upload, received });
  });

  it.each(['5-9', '0--1', '', undefined])('are unknown by a Range of %j', async (range) => {
    await using world = await pair();
    const headers = range === undefined ? {} : { range };
    world.sink.fail({ match: { kind: 'upload-status' }, fault: { kind: 'status', status: 204, headers } });
    const location = new URL(`${world.sink.url}/v2/${APP}/blobs/uploads/1`);
    const upload = { repository: APP, location, smallestChunk: 0 };
    const { registry, signal } = world.client;
    expect(await inspectUpload(registry, upload, signal)).toBeUndefined();
  });

  it.each([400, 401, 403, 404, 405, 416, 501])('are unknown after %d', async (status) => {
    await using world = await pair();
    world.sink.fail({ match: { kind: 'upload-status' }, fault: { kind: 'status', status } });
    const location = new URL(`${world.sink.url}/v2/${APP}/blobs/uploads/1`);
    const upload = { repository: APP, location, smallestChunk: 0 };
    const { registry, signal } = world.client;
    expect(await inspectUpload(registry, upload, signal)).toBeUndefined();
  });
});
