import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { MANIFEST_ACCEPT, MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { describeWith } from './programs.ts';
import type { Access } from './registry/access.ts';
import { ask, codeOf, openUpload } from './registry/ask.ts';
import { bytesContent, contentDigest, generatedBytes, generatedContent } from './registry/content.ts';
import { startRegistry } from './registry/registry.ts';
import { seedImage, seedIndex } from './registry/seed.ts';
import { scratchFolder } from './scratch-folder.ts';
import { copyImage, copyToFolder } from './skopeo.ts';

const LOGIN = { username: 'keel', password: 'secret' };
const USERS = { [LOGIN.username]: LOGIN.password };
const ACCEPT = { accept: MANIFEST_ACCEPT };

describeWith(['skopeo'], 'a test registry and skopeo', () => {
  const access: readonly [string, Access | undefined][] = [
    ['no login', undefined],
    ['passwords', { mode: 'basic', users: USERS }],
    ['tokens', { mode: 'bearer', users: USERS }],
  ];
  for (const [name, option] of access) {
    it(`copies indexes in and out with ${name}`, async () => {
      const folder = scratchFolder();
      const options = option === undefined ? {} : { access: option };
      await using from = await startRegistry({ ...options, redirectBlobs: true });
      await using to = await startRegistry(options);
      const login = option === undefined ? undefined : LOGIN;
      for (const family of ['oci', 'docker'] as const) {
        const index = seedIndex(from.storage, `app/${family}`, { family, tags: ['1.0'] });
        const here = { reference: `${from.host}/app/${family}:1.0`, login };
        const there = { reference: `${to.host}/mirror/${family}:1.0`, login };
        await copyImage(here, there);
        expect(to.storage.manifest(`mirror/${family}`, '1.0')?.digest).toBe(index.digest);
        const read = await copyToFolder(there, `${folder}/${family}`);
        expect(read.digest).toBe(index.digest);
      }
      expect(from.journal.count('storage-get')).toBeGreaterThan(0);
      expect(to.uploads.open).toBe(0);
    });
  }
});

describe('manifests of a test registry', () => {
  it('are served by tag and digest, with the bytes and type they were stored with', async () => {
    await using registry = await startRegistry();
    const image = seedImage(registry.storage, 'app', { tags: ['1.0'] });
    for (const name of ['1.0', image.digest]) {
      const answer = await ask(registry, `/v2/app/manifests/${name}`, { headers: ACCEPT });
      expect(answer.headers.get('docker-content-digest')).toBe(image.digest);
      expect(answer.headers.get('content-type')).toBe(image.mediaType);
      expect(digestOf(await answer.bytes())).toBe(image.digest);
    }
    const docker = { headers: { accept: MEDIA_TYPE.dockerManifest } };
    expect((await ask(registry, '/v2/app/manifests/1.0', docker)).status).toBe(404);
    expect(registry.journal.tally()).toEqual({ 'manifest-get': 3 });
  });

  it('are taken only when all is right', async () => {
    await using source = await startRegistry();
    await using registry = await startRegistry();
    const image = seedImage(source.storage, 'app');
    const index = seedIndex(source.storage, 'app');
    const put = (name: string, body: Uint8Array, type: string) =>
      ask(registry, `/v2/app/manifests/${name}`, {
        method: 'PUT',
        body: Buffer.from(body),
        headers: { 'content-type': type },
      });
    expect(await codeOf(await put('1.0', image.bytes, image.mediaType))).toBe('400 MANIFEST_BLOB_UNKNOWN');
    expect(await codeOf(await put('1.0', index.bytes, index.mediaType))).toBe('400 MANIFEST_BLOB_UNKNOWN');
    if (image.kind !== 'image') throw new Error('an image was asked for');
    for (const { digest } of [image.config, ...image.layers]) {
      registry.storage.putBlob('app', source.storage.contents.get(digest) ?? bytesContent(''), digest);
    }
    const other = image.bytes.toString().replace('2', '2 ');
    expect(await codeOf(await put('1.0', image.bytes, MEDIA_TYPE.dockerManifest))).toBe(
      '400 MANIFEST_INVALID',
    );
    expect(await codeOf(await put(image.digest, Buffer.from(other), image.mediaType))).toBe(
      '400 DIGEST_INVALID',
    );
    expect(await codeOf(await put('1.0', Buffer.alloc(4 * 1024 * 1024 + 1, ' '), image.mediaType))).toBe(
      '400 MANIFEST_INVALID',
    );
    expect((await put('1.0', image.bytes, image.mediaType)).status).toBe(201);
    const gone = await ask(registry, `/v2/app/manifests/${image.digest}`, { method: 'DELETE' });
    expect(gone.status).toBe(202);
    expect(registry.storage.manifest('app', '1.0')).toBeUndefined();
  });
});

describe('tag lists of a test registry', () => {
  for (const link of ['relative', 'absolute'] as const) {
    it(`come in pages with a ${link} link`, async () => {
      await using registry = await startRegistry({ listing: { pageSize: 2, link } });
      const tags = ['1.0', '1.1', '1.2', '2.0', '2.1'];
      seedImage(registry.storage, 'app', { tags });
      const seen: string[] = [];
      let next: string | undefined = '/v2/app/tags/list?n=1000';
      while (next !== undefined) {
        const answer = await ask(registry, next);
        const { tags: page }: { tags: string[] } = JSON.parse(await answer.text());
        seen.push(...page);
        next = /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
        if (next !== undefined) expect(next.startsWith('http')).toBe(link === 'absolute');
      }
      expect(seen).toEqual(tags);
      expect(registry.journal.count('tags-list')).toBe(3);
    });
  }

  it("have Google's extension behind a front like registry.k8s.io", async () => {
    await using registry = await startRegistry({ frontDoor: true });
    seedImage(registry.storage, 'pause', { tags: ['3.9'], uploaded: 1_700_000_000_123 });
    const index = seedIndex(registry.storage, 'coredns/coredns', { tags: ['v1'] });
    const root = await fetch(`${registry.url}/v2/tags/list?n=5`);
    expect(JSON.parse(await root.text())).toMatchObject({
      name: 'k8s-artifacts-prod/images',
      child: ['coredns', 'pause'],
    });
    const list = await fetch(`${registry.url}/v2/coredns/coredns/tags/list?n=5`);
    const { manifest }: { manifest: Record<string, unknown> } = JSON.parse(await list.text());
    expect(Object.keys(manifest)).toHaveLength(3);
    expect(manifest[index.digest]).toMatchObject({ tag: ['v1'], mediaType: index.mediaType });
    const pause = await (await fetch(`${registry.url}/v2/pause/tags/list`)).text();
    expect(pause).toContain('"timeUploadedMs":"1700000000123"');
    const behind = registry.journal.filter({ listener: 'backend' });
    expect(behind.map(({ query }) => query.size)).toEqual([0, 0, 0]);
    const write = await ask(registry, '/v2/pause/blobs/uploads/', { method: 'POST' });
    expect(write.status).toBe(405);
  });
});

describe('blobs of a test registry', () => {
  it('are the same for the same seed, at any offset', async () => {
    await using registry = await startRegistry();
    const content = generatedContent('big', 3_000_001);
    const digest = registry.storage.putBlob('app', content);
    const whole = await (await ask(registry, `/v2/app/blobs/${digest}`)).bytes();
    expect(digestOf(whole)).toBe(contentDigest(content));
    const headers = { range: 'bytes=1000003-1000999' };
    const part = await ask(registry, `/v2/app/blobs/${digest}`, { headers });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 1000003-1000999/3000001']);
    expect(Buffer.from(await part.bytes())).toEqual(Buffer.from(whole.subarray(1_000_003, 1_001_000)));
  });

  it('are fetched from storage that refuses a login', async () => {
    await using registry = await startRegistry({ redirectBlobs: true });
    const digest = registry.storage.putBlob('app', bytesContent('layer'));
    const answer = await ask(registry, `/v2/app/blobs/${digest}`);
    const address = answer.headers.get('location') ?? '';
    expect([answer.status, new URL(address).origin]).toEqual([307, registry.originOf('storage')]);
    expect(await (await fetch(address)).text()).toBe('layer');
    expect((await fetch(address, { headers: { authorization: 'Basic a2VlbDpzZWNyZXQ=' } })).status).toBe(400);
  });

  it('arrive whole, in chunks, or by mount', async () => {
    await using registry = await startRegistry();
    const bytes = generatedBytes('layer', 10_000);
    const digest = digestOf(bytes);
    const wrong = await openUpload(registry, 'app');
    const refused = await ask(registry, `${wrong}&digest=${digestOf(Buffer.from('other'))}`, {
      method: 'PUT',
      body: Buffer.from(bytes),
    });
    expect(await codeOf(refused)).toBe('400 DIGEST_INVALID');
    const location = await openUpload(registry, 'app');
    const patch = (at: string, start: number, end: number) =>
      ask(registry, at, {
        method: 'PATCH',
        body: Buffer.from(bytes.subarray(start, end)),
        headers: { 'content-range': `${start}-${end - 1}` },
      });
    const first = await patch(location, 0, 6000);
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-5999']);
    const second = first.headers.get('location') ?? '';
    expect((await patch(second, 7000, 10_000)).status).toBe(416);
    expect((await patch(location, 6000, 10_000)).status).toBe(404);
    const status = await ask(registry, second);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-5999']);
    const third = (await patch(second, 6000, 10_000)).headers.get('location') ?? '';
    expect((await ask(registry, `${third}&digest=${digest}`, { method: 'PUT' })).status).toBe(201);
    const mount = (to: string, from: string) =>
      ask(registry, `/v2/${to}/blobs/uploads/?mount=${digest}&from=${from}`, { method: 'POST' });
    expect((await mount('app', 'app')).status).toBe(201);
    expect((await mount('other', 'app')).status).toBe(201);
    expect((await mount('third', 'absent')).status).toBe(202);
    expect(registry.uploads.open).toBe(1);
  });

  it('are verified by sha512 too', async () => {
    await using registry = await startRegistry();
    const bytes = generatedBytes('layer', 10_000);
    const digest = digestOf(bytes, 'sha512');
    const put = async (body: Buffer): Promise<number> => {
      const location = await openUpload(registry, 'app');
      const answer = await ask(registry, `${location}&digest=${digest}`, {
        method: 'PUT',
        body: new Uint8Array(body),
      });
      return answer.status;
    };
    expect(await put(generatedBytes('another', 10_000))).toBe(400);
    expect(await put(bytes)).toBe(201);
  });

  it('may be dropped once they are hashed', async () => {
    await using registry = await startRegistry({ discardAbove: 0 });
    const bytes = generatedBytes('layer', 10_000);
    const location = await openUpload(registry, 'app');
    const put = { method: 'PUT', body: Buffer.from(bytes) };
    expect((await ask(registry, `${location}&digest=${digestOf(bytes)}`, put)).status).toBe(201);
    expect(registry.storage.blob('app', digestOf(bytes))).toEqual({ kind: 'discarded', size: 10_000 });
  });
});
