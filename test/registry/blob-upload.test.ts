import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { inspectUpload, sendWhole } from '../../src/registry/blob-upload.ts';
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
    await using world = await pair();
    using client = new TestClient(host);
    const upload = { repository: APP, location: new URL(location, `http://${host}`), smallestChunk: 0 };
    const push = {
      registry: client.registry,
      repository: APP,
      descriptor: { digest: DIGEST, size: BYTES.length },
      sources: () => [],
      isAbsent: true,
      signal: client.signal,
    };
    await sendWhole(push, world.from, upload);
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
    ['5-9', 0],
    ['0--1', 0],
    ['', 0],
    [undefined, 0],
  ])('%j are %d', async (range, received) => {
    await using world = await pair();
    const headers = range === undefined ? {} : { range };
    world.sink.fail({ match: { kind: 'upload-status' }, fault: { kind: 'status', status: 204, headers } });
    const location = new URL(`${world.sink.url}/v2/${APP}/blobs/uploads/1`);
    const upload = { repository: APP, location, smallestChunk: 0 };
    const { registry, signal } = world.client;
    expect(await inspectUpload(registry, upload, signal)).toEqual({ upload, received });
  });

  it('are unknown where it is gone', async () => {
    await using world = await pair();
    const location = new URL(`${world.sink.url}/v2/${APP}/blobs/uploads/1`);
    const upload = { repository: APP, location, smallestChunk: 0 };
    const { registry, signal } = world.client;
    expect(await inspectUpload(registry, upload, signal)).toBeUndefined();
  });
});
