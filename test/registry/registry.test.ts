import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { MANIFEST_ACCEPT } from '../../src/registry/oci/media-type.ts';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { bytesContent } from '../support/registry/content.ts';
import type { ListingStyle } from '../support/registry/listing.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const TAG = parseTag('1.0');
const TAGS = Array.from({ length: 7 }, (_, index) => `1.${index}`);

describe('listing tags', () => {
  it.each<[string, ListingStyle, number]>([
    ['one page', {}, 1],
    ['pages with relative links', { pageSize: 3 }, 3],
    ['pages with absolute links', { pageSize: 2, link: 'absolute' }, 4],
    ['a registry that knows no pages', { ignorePaging: true, order: 'stored' }, 1],
  ])('reads %s', async (_name, listing, requests) => {
    await using server = await startRegistry({ listing });
    seedImage(server.storage, 'app', { tags: TAGS });
    using client = new TestClient(server.host);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(TAGS);
    expect(server.journal.count('tags-list')).toBe(requests);
  });

  it('reads links without quotes, and stops where they go in a circle', async () => {
    await using server = await startRegistry();
    const link = { link: '</v2/app/tags/list?last=b>; rel=next', 'content-type': 'application/json' };
    const body = '{"tags":["a","b"]}';
    server.fail({
      match: { kind: 'tags-list' },
      times: Infinity,
      fault: { kind: 'status', status: 200, headers: link, body },
    });
    using client = new TestClient(server.host);
    const { tags, isCircular } = await client.registry.listTags(APP, client.signal);
    expect({ tags, isCircular }).toEqual({ tags: ['a', 'b'], isCircular: true });
    expect(server.journal.count('tags-list')).toBe(2);
  });

  it('gives every page attempts of its own', async () => {
    await using server = await startRegistry({ listing: { pageSize: 1 } });
    seedImage(server.storage, 'app', { tags: TAGS });
    for (let page = 0; page < TAGS.length; page += 1) {
      const fault = { kind: 'status', status: 503 } as const;
      server.fail({ match: { kind: 'tags-list' }, times: 2, skip: page, fault });
    }
    using client = new TestClient(server.host, { attempts: 15 });
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(TAGS);
  });

  it('asks without a size where a size is refused', async () => {
    await using server = await startRegistry({ quirks: { pageLimit: 100 } });
    seedImage(server.storage, 'app', { tags: TAGS });
    using client = new TestClient(server.host);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(TAGS);
    expect(await client.registry.listRepositories(client.signal)).toEqual(['app']);
  });

  it('takes the refusal of a later page for no absent repository', async () => {
    await using server = await startRegistry({ listing: { pageSize: 3 } });
    seedImage(server.storage, 'app', { tags: TAGS });
    server.fail({ match: { kind: 'tags-list' }, skip: 1, fault: { kind: 'status', status: 404 } });
    using client = new TestClient(server.host);
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'LIST_INCOMPLETE',
    });
  });

  it('bears null and digests', async () => {
    await using server = await startRegistry({ quirks: { nullTags: true } });
    seedImage(server.storage, 'app');
    using client = new TestClient(server.host);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual([]);
    server.quirks = { digestsAmongTags: true };
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
  });

  it('tells a refusal from an absent repository', async () => {
    await using server = await startRegistry();
    using client = new TestClient(server.host);
    const list = () => client.registry.listTags(APP, client.signal);
    await expect(list()).rejects.toMatchObject({ code: 'NOT_FOUND', about: `${server.host}/app` });
    server.quirks = { refuseTagsList: 403 };
    await expect(list()).rejects.toMatchObject({ code: 'DENIED' });
    expect(server.journal.count('tags-list')).toBe(2);
  });

  it('tries again when a list arrives broken', async () => {
    await using server = await startRegistry();
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail({
      match: { kind: 'tags-list' },
      fault: { kind: 'truncate', bytes: 10, declared: 'short' },
    });
    server.fail({
      match: { kind: 'tags-list' },
      fault: { kind: 'truncate', bytes: 10, declared: 'whole' },
    });
    using client = new TestClient(server.host);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
    expect(server.journal.count('tags-list')).toBe(3);
    expect(client.registries.traffic.get(server.host)).toEqual({ requests: 4, retried: 2, rateLimited: 0 });
  });

  it('refuses a list without end, without keeping it in memory', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'tags-list' }, fault: { kind: 'huge-json', bytes: 200 * 1024 * 1024 } });
    using client = new TestClient(server.host);
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: expect.stringContaining('larger than 64 MiB'),
    });
  });
});

describe('listing repositories', () => {
  it('reads the catalogue, where there is one', async () => {
    await using server = await startRegistry();
    for (const name of ['a/b', 'c']) seedImage(server.storage, name);
    using client = new TestClient(server.host);
    expect(await client.registry.listRepositories(client.signal)).toEqual(['a/b', 'c']);
    server.fail({ match: { kind: 'catalog' }, fault: { kind: 'status', status: 405 } });
    expect(await client.registry.listRepositories(client.signal)).toBeUndefined();
    server.fail({ match: { kind: 'catalog' }, fault: { kind: 'status', status: 401 } });
    await expect(client.registry.listRepositories(client.signal)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
  });

  it('refuses a catalogue that leads in a circle, after few requests', async () => {
    await using server = await startRegistry();
    let page = 0;
    const pages = {
      kind: 'made',
      headers: () => ({
        link: `</v2/_catalog?last=${++page}>; rel="next"`,
        'content-type': 'application/json',
      }),
      pieces: () => [Buffer.from('{"repositories":["app"]}')],
    } as const;
    server.fail({ match: { kind: 'catalog' }, times: Infinity, fault: pages });
    using client = new TestClient(server.host);
    await expect(client.registry.listRepositories(client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: expect.stringContaining('has no end'),
    });
    expect(server.journal.count('catalog')).toBe(2);
  });
});

describe('reading manifests', () => {
  it('gives the bytes as they were sent, for any of the four types', async () => {
    await using server = await startRegistry();
    using client = new TestClient(server.host);
    for (const family of ['oci', 'docker'] as const) {
      const index = seedIndex(server.storage, 'app', { family, tags: [family] });
      const got = await client.registry.getManifest(APP, parseTag(family), client.signal);
      expect(got).toEqual(index);
      if (got.kind !== 'index') throw new Error('it is an index');
      for (const { digest } of got.manifests) {
        expect((await client.registry.getManifest(APP, digest, client.signal)).kind).toBe('image');
      }
    }
    const accepts = server.journal.filter({ kind: 'manifest-get' }).map(({ headers }) => headers.accept);
    expect(new Set(accepts)).toEqual(new Set([MANIFEST_ACCEPT]));
  });

  it('takes no manifest for another', async () => {
    await using server = await startRegistry();
    const wanted = seedImage(server.storage, 'app', { seed: 'a' });
    const other = seedImage(server.storage, 'app', { seed: 'b' });
    server.fail({
      match: { kind: 'manifest-get' },
      times: 3,
      fault: {
        kind: 'status',
        status: 200,
        headers: { 'content-type': other.mediaType, 'docker-content-digest': wanted.digest },
        body: other.bytes.toString(),
      },
    });
    using client = new TestClient(server.host);
    await expect(client.registry.getManifest(APP, wanted.digest, client.signal)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    expect((await client.registry.getManifest(APP, wanted.digest, client.signal)).digest).toBe(wanted.digest);
  });

  it('refuses more than 4 MiB', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'manifest-get' }, fault: { kind: 'huge-json', bytes: 5 * 1024 * 1024 } });
    using client = new TestClient(server.host);
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      about: `${server.host}/app:1.0`,
    });
  });

  it('tells what is absent', async () => {
    await using server = await startRegistry();
    using client = new TestClient(server.host);
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await client.registry.findManifest(APP, TAG, client.signal)).toBeUndefined();
    expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-get': 1, 'manifest-head': 1 });
  });

  it('finds a digest with HEAD, or with GET where HEAD tells none', async () => {
    await using server = await startRegistry();
    const { digest } = seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host);
    const find = (name: string) => client.registry.findManifest(APP, parseTag(name), client.signal);
    expect(await find('1.0')).toBe(digest);
    expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-head': 1 });
    server.quirks = { noDigestOnHead: true };
    expect(await find('1.0')).toBe(digest);
    expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-head': 2, 'manifest-get': 1 });
    server.quirks = {};
    server.fail({ match: { kind: 'manifest-head' }, fault: { kind: 'status', status: 405 } });
    expect(await find('1.0')).toBe(digest);
    server.fail({ match: { kind: 'manifest-head' }, fault: { kind: 'status', status: 403 } });
    expect(await find('absent')).toBeUndefined();
  });
});

describe('pushing manifests', () => {
  it('leaves every byte as it is', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'app');
    server.storage.deleteManifest('app', image.digest);
    using client = new TestClient(server.host);
    await client.registry.putManifest(APP, image.digest, image, client.signal);
    await client.registry.putManifest(APP, TAG, image, client.signal);
    expect(server.storage.manifest('app', '1.0')?.bytes).toEqual(image.bytes);
    expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-put': 2 });
  });

  it('tells when parts of it are missing', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'other');
    using client = new TestClient(server.host);
    await expect(client.registry.putManifest(APP, TAG, image, client.signal)).rejects.toMatchObject({
      code: 'CONTENT_UNKNOWN',
      about: `${server.host}/app:1.0`,
    });
    expect(server.journal.count('manifest-put')).toBe(1);
  });

  it('notices a registry that changed it', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'app');
    const headers = { 'docker-content-digest': digestOf(Buffer.from('other')) };
    server.fail({ match: { kind: 'manifest-put' }, fault: { kind: 'status', status: 201, headers } });
    using client = new TestClient(server.host);
    await expect(client.registry.putManifest(APP, TAG, image, client.signal)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });

  it('is tried again when only the answer was lost', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'app');
    server.fail({ match: { kind: 'manifest-put' }, fault: { kind: 'reset' } });
    using client = new TestClient(server.host);
    await client.registry.putManifest(APP, TAG, image, client.signal);
    expect(server.storage.manifest('app', '1.0')?.digest).toBe(image.digest);
  });
});

describe('small blobs', () => {
  it('are checked when they are read', async () => {
    await using server = await startRegistry({ redirectBlobs: true });
    const digest = server.storage.putBlob('app', bytesContent('config'));
    const descriptor = { mediaType: 'c', digest, size: 6 };
    using client = new TestClient(server.host);
    server.fail({ match: { kind: 'storage-get' }, fault: { kind: 'wrong-bytes' } });
    server.fail({ match: { kind: 'storage-get' }, fault: { kind: 'truncate', bytes: 3, declared: 'short' } });
    expect((await client.registry.readBlob(APP, descriptor, client.signal)).toString()).toBe('config');
    expect(server.journal.count('storage-get')).toBe(3);
    const longer = { ...descriptor, size: 3 };
    await expect(client.registry.readBlob(APP, longer, client.signal)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });
});
