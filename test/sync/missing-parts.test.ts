import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { describeMissing, type MissingPart, PartsSearch } from '../../src/sync/copy/missing-parts.ts';
import { type Fault, rateLimited } from '../support/registry/faults.ts';
import type { RequestMatch } from '../support/registry/journal.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedCache, seedIndex } from '../support/registry/seed.ts';
import { digestFor } from '../support/sample-manifest.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');

it('asks for each part once, however many tags have it', async () => {
  await using registry = await startRegistry();
  const tags = ['v1', 'v2'].map((seed) =>
    seedIndex(registry.storage, 'app', { seed, tags: [seed], layerSeeds: ['base', 'more'] }),
  );
  using client = new TestClient(registry.host);
  const search = new PartsSearch(client.registry, client.signal);
  for (const { digest } of [...tags, ...tags]) {
    expect(await search.lookBelow(APP, digest)).toEqual({
      images: 2,
      blobs: 4,
      missing: [],
      elsewhere: 0,
      untold: 0,
      unshown: 0,
    });
  }
  // Two indexes with two images each, which have a configuration each and share two layers.
  expect(registry.journal.tally()).toEqual({ ping: 1, 'manifest-get': 6, 'blob-head': 6 });
});

it('finds the layers that a build cache lists by themselves', async () => {
  await using registry = await startRegistry();
  const cache = seedCache(registry.storage, 'app', ['v1']);
  const [layer] = cache.kind === 'index' ? cache.manifests : [];
  using client = new TestClient(registry.host);
  const look = () => new PartsSearch(client.registry, client.signal).lookBelow(APP, cache.digest);
  expect(await look()).toMatchObject({ images: 0, blobs: 2, missing: [] });
  registry.fail({
    match: { kind: ['blob-head', 'blob-get'], when: ({ path }) => path.endsWith(layer?.digest ?? '?') },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 404 },
  });
  const { missing } = await look();
  expect(missing).toEqual([{ kind: 'layer', digest: layer?.digest, path: [] }]);
  expect(describeMissing(missing)).toMatch(/^a layer, sha256/);
});

it('looks only at what is wanted of an index', async () => {
  await using registry = await startRegistry();
  const index = seedIndex(registry.storage, 'app');
  using client = new TestClient(registry.host);
  const search = new PartsSearch(client.registry, client.signal);
  const below = await search.lookBelow(APP, index.digest, {
    wants: ({ platform }) => platform?.architecture === 'arm64',
  });
  expect(below).toMatchObject({ images: 1, blobs: 3 });
});

it('an index that is gone itself is missing, and a failure is thrown', async () => {
  await using registry = await startRegistry();
  const index = seedIndex(registry.storage, 'app');
  using client = new TestClient(registry.host);
  const search = new PartsSearch(client.registry, client.signal);
  const gone = digestFor('gone');
  expect((await search.lookBelow(APP, gone)).missing).toEqual([{ kind: 'manifest', digest: gone, path: [] }]);
  registry.fail({ match: { kind: 'blob-head' }, times: 100, fault: { kind: 'status', status: 500 } });
  await expect(search.lookBelow(APP, index.digest)).rejects.toMatchObject({ status: 500 });
});

it.each<[string, RequestMatch, Fault]>([
  [
    'HEAD and GET for what it lists answer 500',
    { when: ({ reference }) => reference.includes('sha256') },
    { kind: 'status', status: 500 },
  ],
  ['HEAD for what it lists answers 503', { kind: 'manifest-head' }, { kind: 'status', status: 503 }],
  ['HEAD for what it lists is limited for an hour', { kind: 'manifest-head' }, rateLimited(3600)],
  ['the connection breaks', { kind: ['manifest-head', 'manifest-get'] }, { kind: 'reset' }],
])('of manifests alone, what cannot be found out is not known: %s', async (_, match, fault) => {
  await using registry = await startRegistry();
  const index = seedIndex(registry.storage, 'app', { platforms: ['linux/amd64', 'linux/arm64'] });
  using client = new TestClient(registry.host, { attempts: 2 });
  registry.fail({ match, times: Number.POSITIVE_INFINITY, fault });
  const search = new PartsSearch(client.registry, client.signal);
  const look = (extent: 'manifests' | 'parts') =>
    search.lookBelow(APP, index.digest, { extent, tag: parseTag('v1') });
  expect((await look('manifests')).missing).toEqual([]);
  expect([...search.unasked.keys()]).toEqual([`${registry.host}/app:v1`]);
});

it('of manifests alone, the end of the run is still one', async () => {
  await using registry = await startRegistry();
  const index = seedIndex(registry.storage, 'app');
  using client = new TestClient(registry.host);
  const search = new PartsSearch(client.registry, AbortSignal.abort(new Error('over')));
  await expect(search.lookBelow(APP, index.digest, { extent: 'manifests' })).rejects.toThrow('over');
});

it.each([403, 401, 405])('a manifest that is refused (%i) is not known to be missing', async (status) => {
  await using registry = await startRegistry();
  const index = seedIndex(registry.storage, 'app');
  using client = new TestClient(registry.host);
  registry.fail({ match: { kind: 'manifest-get' }, times: 100, fault: { kind: 'status', status } });
  const below = await new PartsSearch(client.registry, client.signal).lookBelow(APP, index.digest);
  expect(below).toMatchObject({ missing: [], images: 0, unshown: 1 });
});

it('a manifest that is denied though its index was shown is missing, as Artifactory says it', async () => {
  await using registry = await startRegistry();
  const index = seedIndex(registry.storage, 'app');
  const [child] = index.kind === 'index' ? index.manifests : [];
  using client = new TestClient(registry.host);
  registry.fail({
    match: { kind: 'manifest-get', when: ({ path }) => path.endsWith(child?.digest ?? '?') },
    times: 100,
    fault: { kind: 'status', status: 403 },
  });
  const below = await new PartsSearch(client.registry, client.signal).lookBelow(APP, index.digest);
  expect(below).toMatchObject({ missing: [{ kind: 'manifest', digest: child?.digest }], unshown: 0 });
});

describe('with the extent of manifests', () => {
  const manifests = { extent: 'manifests' } as const;

  it('asks for each index once, by HEAD for each image that one lists, and for no layer', async () => {
    await using registry = await startRegistry();
    const tags = ['v1', 'v2'].map((seed) => seedIndex(registry.storage, 'app', { seed, tags: [seed] }));
    using client = new TestClient(registry.host);
    const search = new PartsSearch(client.registry, client.signal);
    for (const { digest } of [...tags, ...tags]) {
      expect(await search.lookBelow(APP, digest, manifests)).toMatchObject({ missing: [], unshown: 0 });
    }
    expect(registry.journal.tally()).toEqual({ ping: 1, 'manifest-get': 2, 'manifest-head': 4 });
  });

  it('finds what an index within an index lacks', async () => {
    await using registry = await startRegistry();
    const inner = seedIndex(registry.storage, 'app');
    const [child] = inner.kind === 'index' ? inner.manifests : [];
    const outer = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: inner.mediaType,
        manifests: [{ mediaType: inner.mediaType, digest: inner.digest, size: inner.bytes.length }],
      }),
    );
    const digest = digestOf(outer);
    registry.storage.putManifest('app', outer, inner.mediaType);
    if (child !== undefined) registry.storage.deleteManifest('app', child.digest);
    using client = new TestClient(registry.host);
    const search = new PartsSearch(client.registry, client.signal);
    const { missing } = await search.lookBelow(APP, digest, manifests);
    expect(missing).toEqual([
      {
        kind: 'manifest',
        digest: child?.digest,
        platform: 'linux/amd64',
        path: [inner.digest, child?.digest],
      },
    ]);
    // The first HEAD finds nothing, and GET agrees.
    expect(registry.journal.tally()).toEqual({ ping: 1, 'manifest-get': 3, 'manifest-head': 2 });
  });

  it('asks for nothing that a build cache lists by itself', async () => {
    await using registry = await startRegistry();
    const { digest } = seedCache(registry.storage, 'app', ['v1']);
    using client = new TestClient(registry.host);
    const search = new PartsSearch(client.registry, client.signal);
    expect((await search.lookBelow(APP, digest, manifests)).missing).toEqual([]);
    expect(registry.journal.tally()).toEqual({ ping: 1, 'manifest-get': 1 });
  });

  it.each([
    [400, 'unknown'],
    [401, 'unknown'],
    [403, 'missing'],
    [404, 'missing'],
    [405, 'unknown'],
    [501, 'unknown'],
  ])('a listed image that is refused (%i) is %s', async (status, result) => {
    await using registry = await startRegistry();
    const index = seedIndex(registry.storage, 'app');
    const [child] = index.kind === 'index' ? index.manifests : [];
    using client = new TestClient(registry.host);
    registry.fail({
      match: { kind: ['manifest-head', 'manifest-get'], path: new RegExp(`${child?.digest}$`) },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status },
    });
    const below = await new PartsSearch(client.registry, client.signal).lookBelow(
      APP,
      index.digest,
      manifests,
    );
    expect(below.missing.map(({ digest }) => digest)).toEqual(result === 'missing' ? [child?.digest] : []);
    expect(below.unshown).toBe(result === 'unknown' ? 1 : 0);
  });

  it('a HEAD that is refused says nothing about an image that GET finds', async () => {
    await using registry = await startRegistry();
    const index = seedIndex(registry.storage, 'app');
    using client = new TestClient(registry.host);
    registry.fail({ match: { kind: 'manifest-head' }, times: 100, fault: { kind: 'status', status: 403 } });
    const below = await new PartsSearch(client.registry, client.signal).lookBelow(
      APP,
      index.digest,
      manifests,
    );
    expect(below).toMatchObject({ missing: [], unshown: 0 });
  });
});

const part = (more: Partial<MissingPart>): MissingPart => ({
  kind: 'layer',
  digest: digestFor('part'),
  path: [],
  ...more,
});
const SHORT = `sha256:${digestFor('part').slice(7, 19)}…`;
const ARM = { platform: 'linux/arm64', path: [digestFor('child')] };

it.each<[string, MissingPart[]]>([
  [`its manifest, ${SHORT}`, [part({ kind: 'manifest' })]],
  [`its image for linux/arm64, ${SHORT}`, [part({ kind: 'manifest', ...ARM })]],
  [`one of its parts, ${SHORT}`, [part({ kind: 'manifest', path: ARM.path })]],
  [`the configuration, ${SHORT}`, [part({ kind: 'configuration' })]],
  [`the configuration of its image for linux/arm64, ${SHORT}`, [part({ kind: 'configuration', ...ARM })]],
  [`layer 2 of 5, ${SHORT}`, [part({ position: { number: 2, of: 5 } })]],
  [
    `its manifest, ${SHORT}, its manifest, ${SHORT}, its manifest, ${SHORT} and 2 more`,
    Array.from({ length: 5 }, () => part({ kind: 'manifest' })),
  ],
])('tells of %s', (words, missing) => {
  expect(describeMissing(missing)).toBe(words);
});
