import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { MANIFEST_ACCEPT } from '../../src/registry/oci/media-type.ts';
import { ask, openUpload } from './registry/ask.ts';
import { bytesContent, generatedBytes } from './registry/content.ts';
import { type Fault, htmlError, rateLimited } from './registry/faults.ts';
import { listen, resetConnection } from './registry/listener.ts';
import type { Quirks } from './registry/quirks.ts';
import { startRegistry } from './registry/registry.ts';
import { seedImage, seedIndex } from './registry/seed.ts';
import { type Certificate, LOOPBACK } from './test-authority.ts';

const ACCEPT = { accept: MANIFEST_ACCEPT };

describe('faults of a test registry', () => {
  async function outcome(fault: Fault): Promise<string> {
    await using registry = await startRegistry();
    const digest = registry.storage.putBlob('app', bytesContent(generatedBytes('x', 5000)));
    const handle = registry.fail({ match: { kind: 'blob-get' }, fault });
    let told: string;
    try {
      const answer = await ask(registry, `/v2/app/blobs/${digest}`, { signal: AbortSignal.timeout(2000) });
      const body = await answer.bytes();
      told = `${answer.status} ${body.length} ${digestOf(body) === digest ? 'right' : 'wrong'}`;
    } catch {
      told = 'broken';
    }
    expect(handle.hits).toBe(1);
    const again = await ask(registry, `/v2/app/blobs/${digest}`);
    expect(digestOf(await again.bytes())).toBe(digest);
    return told;
  }

  it.each<[string, Fault]>([
    ['503 4 wrong', { kind: 'status', status: 503, body: 'gone' }],
    ['broken', { kind: 'reset' }],
    ['broken', { kind: 'reset-answer', afterBytes: 1000 }],
    ['200 5000 right', { kind: 'trickle', bytesPerSecond: 50_000 }],
    ['broken', { kind: 'wrong-length', difference: 10 }],
    ['200 100 wrong', { kind: 'truncate', bytes: 100, declared: 'short' }],
    ['broken', { kind: 'truncate', bytes: 100, declared: 'whole' }],
    ['200 5000 wrong', { kind: 'wrong-bytes' }],
    ['200 5000 right', { kind: 'delay', milliseconds: 10 }],
    ['307 0 wrong', { kind: 'redirect', location: 'http://127.0.0.1:1/' }],
  ])('give "%s" for %o', async (expected, fault) => {
    expect(await outcome(fault)).toBe(expected);
  });

  it.each<[string, Certificate | undefined]>([
    ['plain HTTP', undefined],
    ['TLS', LOOPBACK],
  ])('reset a connection over %s, also one that the client has reset before', async (_, certificate) => {
    for (const isLeft of [false, true]) {
      const asked = Promise.withResolvers<Socket>();
      const listener = await listen(({ socket }) => asked.resolve(socket), certificate);
      const tcp = connect(listener.port, '127.0.0.1');
      const client = certificate === undefined ? tcp : connectTls({ socket: tcp });
      const broken = Promise.withResolvers<unknown>();
      for (const socket of [tcp, client]) socket.on('error', broken.resolve).on('close', broken.resolve);
      client.write('GET / HTTP/1.1\r\nhost: registry.test\r\n\r\n');
      const served = await asked.promise;
      if (isLeft) tcp.resetAndDestroy();
      resetConnection(served);
      const told = await broken.promise;
      if (!isLeft) expect(told).toMatchObject({ code: 'ECONNRESET' });
      await listener.close();
    }
  });

  it('ask for patience in both forms, and speak HTML', async () => {
    await using registry = await startRegistry();
    registry.fail({ fault: rateLimited(7) });
    registry.fail({ fault: rateLimited(new Date(Date.UTC(2030, 0, 1))) });
    registry.fail({ fault: htmlError(502) });
    expect((await ask(registry, '/v2/')).headers.get('retry-after')).toBe('7');
    expect((await ask(registry, '/v2/')).headers.get('retry-after')).toBe('Tue, 01 Jan 2030 00:00:00 GMT');
    expect(await (await ask(registry, '/v2/')).text()).toContain('<html>');
    expect((await ask(registry, '/v2/')).status).toBe(200);
  });

  it('cut uploads while they come in', async () => {
    await using registry = await startRegistry();
    const location = await openUpload(registry, 'app');
    registry.fail({ match: { kind: 'upload-patch' }, fault: { kind: 'reset-request', afterBytes: 3000 } });
    const body = Buffer.from(generatedBytes('x', 500_000));
    await expect(ask(registry, location, { method: 'PATCH', body })).rejects.toThrow();
    expect(registry.journal.filter({ kind: 'upload-patch' })[0]).toMatchObject({
      bytesIn: 3000,
      state: 'broken',
    });
    expect((await ask(registry, location)).headers.get('range')).toBe('0-0');
  });
});

describe('quirks of a test registry', () => {
  it.each<[string, Quirks, string, string, number]>([
    ['refuseTagsList', { refuseTagsList: 403 }, 'GET', '/v2/app/tags/list', 403],
    ['refuseMount', { refuseMount: 405 }, 'POST', '/v2/app/blobs/uploads/?mount=DIGEST&from=app', 405],
    [
      'selfMountOpensUpload',
      { selfMountOpensUpload: true },
      'POST',
      '/v2/app/blobs/uploads/?mount=DIGEST&from=app',
      202,
    ],
    ['absentManifest', { absentManifest: 403 }, 'HEAD', '/v2/app/manifests/absent', 403],
    ['refuseOciIndex', { refuseOciIndex: true }, 'PUT', '/v2/app/manifests/2.0', 400],
    ['immutableTags', { immutableTags: 412 }, 'PUT', '/v2/app/manifests/1.0', 412],
    ['no quirk', {}, 'PUT', '/v2/app/manifests/1.0', 201],
    ['repositoriesMustExist', { repositoriesMustExist: true }, 'POST', '/v2/new/blobs/uploads/', 404],
  ])('%s', async (_name, quirks, method, path, status) => {
    await using registry = await startRegistry({ quirks });
    seedImage(registry.storage, 'app', { tags: ['1.0'] });
    const index = seedIndex(registry.storage, 'app');
    const digest = registry.storage.putBlob('app', bytesContent('blob'));
    const put =
      method === 'PUT'
        ? { body: Buffer.from(index.bytes), headers: { 'content-type': index.mediaType } }
        : { headers: ACCEPT };
    const answer = await ask(registry, path.replace('DIGEST', digest), { method, ...put });
    expect(answer.status).toBe(status);
  });

  it('noDigestOnHead', async () => {
    await using registry = await startRegistry({ quirks: { noDigestOnHead: true } });
    seedImage(registry.storage, 'app', { tags: ['1.0'] });
    const head = await ask(registry, '/v2/app/manifests/1.0', { method: 'HEAD', headers: ACCEPT });
    expect([head.status, head.headers.get('docker-content-digest')]).toEqual([200, null]);
  });

  it('refuseConfigTypes', async () => {
    const refuseConfigTypes = ['application/vnd.oci.image.config.v1+json'];
    await using registry = await startRegistry({ quirks: { refuseConfigTypes } });
    const image = seedImage(registry.storage, 'app');
    const answer = await ask(registry, '/v2/app/manifests/1.0', {
      method: 'PUT',
      body: Buffer.from(image.bytes),
      headers: { 'content-type': image.mediaType },
    });
    expect(await answer.json()).toEqual({
      errors: [{ code: 'DENIED', message: `unknown manifest class for ${refuseConfigTypes[0]}` }],
    });
  });
});
