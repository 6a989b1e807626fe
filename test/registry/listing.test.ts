import { describe, expect, it } from 'vitest';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import type { ListingStyle } from '../support/registry/listing.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
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

  it('refuses empty pages without end', async () => {
    await using server = await startRegistry();
    let page = 0;
    const pages = {
      kind: 'made',
      headers: () => ({ link: `</v2/app/tags/list?last=${++page}>; rel="next"` }),
      pieces: () => [Buffer.from('{"tags":[]}')],
    } as const;
    server.fail({ match: { kind: 'tags-list' }, times: Infinity, fault: pages });
    using client = new TestClient(server.host);
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: expect.stringContaining('lists nothing'),
    });
    expect(server.journal.count('tags-list')).toBe(11);
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
    server.fail({ match: { kind: 'catalog' }, times: 2, fault: { kind: 'status', status: 405 } });
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
