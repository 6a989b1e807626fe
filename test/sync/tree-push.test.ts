import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Duration, seconds } from '../../src/lib/duration.ts';
import { BlobBoard } from '../../src/registry/blob/blob-board.ts';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { PushClock } from '../../src/sync/copy/push-clock.ts';
import { type PushTask, RefusedManifest, TreePush } from '../../src/sync/copy/tree-push.ts';
import { seedAttested } from '../faults/attested-image.ts';
import type { FaultRule } from '../support/registry/faults.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedCache, seedImage, seedIndex, seedWindows } from '../support/registry/seed.ts';
import type { Storage } from '../support/registry/storage.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const TARGET = parseRepository('keel/app');
const NO_LIMIT: Duration = seconds(0);

/** A source and a destination, and a way to push trees from one to the other. */
async function world({
  isAbsent = true,
  beforeFetch = async (_digest: Digest): Promise<void> => undefined,
} = {}) {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry());
  const sink = stack.use(await startRegistry());
  const client = stack.use(new TestClient(source.host));
  const registry = client.registries.at(sink.host);
  const wasAbsent = () => isAbsent;
  const board = new BlobBoard({
    registry,
    wasAbsent,
    believedHolders: () => [],
    onBytes: () => undefined,
    onUploaded: () => undefined,
    onMissing: () => undefined,
  });
  const tree = new TreePush({
    target: registry,
    board,
    wasAbsent,
    fetch: async (from, digest) => {
      await beforeFetch(digest);
      return await from.registry.getManifest(from.repository, digest, client.signal);
    },
  });
  const taskOf = (manifest: Manifest, tag = 'v1', limit = NO_LIMIT): PushTask => ({
    name: 'app',
    source: { registry: client.registry, repository: APP, tag: parseTag(tag) },
    target: { repository: TARGET, tag: parseTag(tag) },
    form: { manifest, parts: new Map(), conversion: undefined },
    missing: [],
    clock: new PushClock(limit, `app:${tag}`, client.signal),
    tally: { bytesSent: 0, uploaded: 0, mounted: 0, present: 0, digests: new Set<Digest>() },
  });
  const puts = () => sink.journal.filter({ kind: 'manifest-put' }).map(({ reference }) => reference);
  return { source, sink, tree, taskOf, puts, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const childrenOf = (index: Manifest): Digest[] =>
  index.kind === 'index' ? index.manifests.map(({ digest }) => digest) : [];

describe('a build cache', () => {
  it('is an index that lists layers, which are pushed as such', async () => {
    await using here = await world();
    const cache = seedCache(here.source.storage, APP, ['v1']);
    const task = here.taskOf(cache);
    await here.tree.push(task);
    expect(here.puts()).toEqual(['v1']);
    expect(task.tally).toMatchObject({ uploaded: 2 });
    expect(here.source.journal.count('manifest-get')).toBe(0);
    for (const digest of childrenOf(cache)) expect(here.sink.storage.blob(TARGET, digest)).toBeDefined();
  });

  it('has its layers sent again where the destination says that they are missing', async () => {
    await using here = await world({ isAbsent: false });
    const cache = seedCache(here.source.storage, APP, ['v1']);
    const [lost] = childrenOf(cache);
    here.sink.fail({
      match: { kind: 'mount', when: ({ query }) => query.get('mount') === lost },
      fault: { kind: 'status', status: 201 },
    });
    await here.tree.push(here.taskOf(cache));
    expect(here.sink.storage.manifest(TARGET, 'v1')?.digest).toBe(cache.digest);
  });
});

describe('an index', () => {
  it('is pushed after all that it lists, and the tag last', async () => {
    await using here = await world();
    const index = seedIndex(here.source.storage, APP);
    const task = here.taskOf(index);
    const { size } = await here.tree.push(task);
    const puts = here.puts();
    expect(puts.slice(0, -1).toSorted()).toEqual(childrenOf(index).toSorted());
    expect(puts.at(-1)).toBe('v1');
    expect(here.sink.journal.filter({ kind: ['upload-put', 'manifest-put'] }).at(-1)?.reference).toBe('v1');
    expect([...task.tally.digests].toSorted()).toEqual(childrenOf(index).toSorted());
    expect(size).toBeGreaterThan(task.tally.bytesSent);
    expect(here.sink.journal.count('manifest-head')).toBe(0);
  });

  it('that is too large and lacks parts is refused for what it lacks, whichever part is answered first', async () => {
    const othersCounted = Promise.withResolvers<void>();
    const indexes: Digest[] = [];
    let missing = 0;
    await using here = await world({
      beforeFetch: async (digest) => {
        if (digest === indexes[0]) return await othersCounted.promise;
        // Beyond the parts of one index, so both of the others were counted.
        if (!indexes.includes(digest)) missing += 1;
        if (missing > 400) othersCounted.resolve();
      },
    });
    const { storage } = here.source;
    const listing = (
      entries: readonly { digest: string; mediaType: string; size: number }[],
      ...tags: string[]
    ) => {
      const body = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: entries };
      const bytes = Buffer.from(JSON.stringify(body));
      const digest = storage.putManifest(APP, bytes, MEDIA_TYPE.ociIndex, tags);
      return { digest, mediaType: MEDIA_TYPE.ociIndex, size: bytes.length, bytes };
    };
    const parts = ['a', 'b', 'c'].map((name) =>
      listing(
        Array.from({ length: 400 }, (_, at) => ({
          digest: digestOf(Buffer.from(`${name} ${at}`)),
          mediaType: MEDIA_TYPE.ociManifest,
          size: 100,
        })),
      ),
    );
    indexes.push(...parts.map(({ digest }) => digest));
    const top = listing(
      parts.map(({ digest, mediaType, size }) => ({ digest, mediaType, size })),
      'v1',
    );
    const task = here.taskOf(parseManifest(top.bytes, top.mediaType, 'app:v1'));
    await expect(here.tree.push(task)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('shares what it lists with another, once for a repository', async () => {
    await using here = await world();
    const index = seedIndex(here.source.storage, APP);
    await Promise.all(['v1', 'v2', 'v3'].map((tag) => here.tree.push(here.taskOf(index, tag))));
    const children = here.puts().filter((reference) => reference.startsWith('sha256:'));
    expect(children.toSorted()).toEqual(childrenOf(index).toSorted());
  });

  it('is asked for what it lists where the repository was there before', async () => {
    await using here = await world({ isAbsent: false });
    const index = seedIndex(here.source.storage, APP);
    seedImage(here.sink.storage, TARGET, { seed: APP, platform: 'linux/amd64' });
    await here.tree.push(here.taskOf(index));
    expect(here.sink.journal.count('manifest-head')).toBe(2);
    expect(here.puts()).toHaveLength(2);
  });

  it('that lies about a size is not copied', async () => {
    await using here = await world();
    const index = seedIndex(here.source.storage, APP);
    const lying =
      index.kind === 'index'
        ? { ...index, manifests: index.manifests.map((entry) => ({ ...entry, size: 10 })) }
        : index;
    await expect(here.tree.push(here.taskOf(lying))).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    expect(here.puts()).toEqual([]);
  });
});

it('a layer that an image has twice is pushed and counted once', async () => {
  await using here = await world();
  const image = seedImage(here.source.storage, APP, { layers: [500, 500], layerSeeds: ['same', 'same'] });
  const task = here.taskOf(image);
  await here.tree.push(task);
  expect(task.tally).toMatchObject({ uploaded: 2, mounted: 0, present: 0 });
  expect(here.sink.journal.count('upload-put')).toBe(2);
});

describe('a layer that has an address elsewhere', () => {
  const ORDINARY = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
  const held = (storage: Storage, image: Manifest) =>
    image.kind === 'image'
      ? image.layers.map(({ digest }) => storage.blob(TARGET, digest) !== undefined)
      : [];

  it('is pushed where its type is an ordinary one: an optional field does not decide', async () => {
    await using here = await world();
    const image = seedWindows(here.source.storage, APP, { baseType: ORDINARY, isHeld: true });
    expect(await here.tree.push(here.taskOf(image))).toMatchObject({ layersLeftOut: 0 });
    expect(held(here.sink.storage, image)).toEqual([true, true]);
  });

  it('of an ordinary type that the source does not hold fails the image', async () => {
    await using here = await world();
    const image = seedWindows(here.source.storage, APP, { baseType: ORDINARY });
    await expect(here.tree.push(here.taskOf(image))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(here.puts()).toEqual([]);
  });

  it('of a foreign type is pushed where the source holds it', async () => {
    await using here = await world();
    const image = seedWindows(here.source.storage, APP, { isHeld: true });
    expect(await here.tree.push(here.taskOf(image))).toMatchObject({ layersLeftOut: 0 });
    expect(held(here.sink.storage, image)).toEqual([true, true]);
  });

  it.each<[string, boolean, FaultRule | undefined]>([
    ['the source does not hold', false, undefined],
    [
      'the destination does not take',
      true,
      {
        match: { kind: 'upload-put', when: ({ headers }) => headers['content-length'] === '11' },
        fault: { kind: 'status', status: 403 },
        times: Number.POSITIVE_INFINITY,
      },
    ],
  ])('of a foreign type that %s is left out, and counted', async (_, isHeld, fault) => {
    await using here = await world();
    if (fault !== undefined) here.sink.fail(fault);
    const image = seedWindows(here.source.storage, APP, { isHeld });
    const task = here.taskOf(image);
    expect(await here.tree.push(task)).toMatchObject({ layersLeftOut: 1 });
    expect(held(here.sink.storage, image)).toEqual([false, true]);
    expect(here.sink.storage.manifest(TARGET, 'v1')?.digest).toBe(image.digest);
    expect(task.tally.uploaded).toBe(2);
  });

  it('fails the image where it cannot be had for a moment: that is another question', async () => {
    await using here = await world();
    const image = seedWindows(here.source.storage, APP, { isHeld: true });
    here.source.fail({
      match: { kind: 'blob-get' },
      fault: { kind: 'status', status: 503 },
      times: Number.POSITIVE_INFINITY,
    });
    await expect(here.tree.push(here.taskOf(image))).rejects.toMatchObject({ code: 'REGISTRY_BROKEN' });
  });

  it('is counted for each image whose index lists it, also where that part was there before', async () => {
    await using here = await world({ isAbsent: false });
    const image = seedWindows(here.source.storage, APP);
    const { bytes, digest, mediaType } = image;
    const platform = { os: 'windows', architecture: 'amd64' };
    const list = {
      mediaType: MEDIA_TYPE.dockerList,
      manifests: [{ mediaType, digest, size: bytes.length, platform }],
    };
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, ...list }));
    const index = parseManifest(body, undefined, 'app');
    for (const tag of ['v1', 'v2']) {
      expect(await here.tree.push(here.taskOf(index, tag))).toMatchObject({ layersLeftOut: 1 });
    }
    await using later = await world({ isAbsent: false });
    seedWindows(later.source.storage, APP);
    later.sink.storage.putManifest(TARGET, bytes, mediaType);
    expect(await later.tree.push(later.taskOf(index, 'v3'))).toMatchObject({ layersLeftOut: 1 });
  });
});

describe('a destination that says that content is missing', () => {
  const unknown = {
    kind: 'status',
    status: 400,
    body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}',
  } as const;

  it('has all of it proved again', async () => {
    await using here = await world({ isAbsent: false });
    const image = seedImage(here.source.storage, APP);
    const lost = image.kind === 'image' ? image.config.digest : undefined;
    // It said that the configuration is there, and does not have it.
    const lies = here.sink.fail({
      match: { kind: 'mount', when: ({ query }) => query.get('mount') === lost },
      fault: { kind: 'status', status: 201 },
    });
    await here.tree.push(here.taskOf(image));
    expect(lies.hits).toBe(1);
    expect(here.puts()).toEqual(['v1', 'v1']);
    expect(here.sink.storage.manifest(TARGET, 'v1')?.digest).toBe(image.digest);
  });

  /** An answer that says only that something is wrong. */
  const invalid = {
    kind: 'status',
    status: 400,
    body: '{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{}}]}',
  } as const;

  it('by a code for everything has the missing blob sent again, and no other format is tried', async () => {
    await using here = await world({ isAbsent: false });
    const image = seedImage(here.source.storage, APP);
    const lost = image.kind === 'image' ? image.config.digest : undefined;
    here.sink.fail({
      match: { kind: 'mount', when: ({ query }) => query.get('mount') === lost },
      fault: { kind: 'status', status: 201 },
    });
    here.sink.fail({ match: { kind: 'manifest-put' }, fault: invalid });
    await here.tree.push(here.taskOf(image));
    expect(here.puts()).toEqual(['v1', 'v1']);
    expect(here.sink.storage.manifest(TARGET, 'v1')?.digest).toBe(image.digest);
  });

  it('by a code for everything, though it has all, is about the format', async () => {
    await using here = await world();
    const image = seedImage(here.source.storage, APP);
    here.sink.fail({ match: { kind: 'manifest-put' }, fault: invalid });
    const pushing = here.tree.push(here.taskOf(image));
    await expect(pushing).rejects.toBeInstanceOf(RefusedManifest);
    await expect(pushing).rejects.toMatchObject({
      format: 'oci-image',
      refusal: { code: 'MANIFEST_REFUSED' },
    });
    expect(here.puts()).toEqual(['v1']);
  });

  it.each<[string, FaultRule['fault'], number]>([
    ['a missing part', unknown, 2],
    [
      'an unknown manifest',
      { kind: 'status', status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' },
      2,
    ],
    ['something that is wrong', invalid, 1],
  ])('of an index, as %s, right after its parts were pushed is asked again', async (_, fault, times) => {
    await using here = await world({ isAbsent: false });
    const index = seedIndex(here.source.storage, APP);
    const [first] = childrenOf(index);
    // An eventually consistent registry does not find yet what it just took.
    here.sink.fail({
      match: { kind: ['manifest-head', 'manifest-get'], when: ({ reference }) => reference === first },
      fault: { kind: 'status', status: 404 },
      times: 3,
    });
    here.sink.fail({
      match: { kind: 'manifest-put', when: ({ reference }) => reference === 'v1' },
      fault,
      times,
    });
    await here.tree.push(here.taskOf(index));
    expect(here.puts().filter((name) => name === 'v1')).toHaveLength(times + 1);
    expect(here.sink.storage.manifest(TARGET, 'v1')?.digest).toBe(index.digest);
  });

  it('and goes on saying so fails', async () => {
    await using here = await world();
    const image = seedImage(here.source.storage, APP);
    here.sink.fail({ match: { kind: 'manifest-put' }, fault: unknown, times: Number.POSITIVE_INFINITY });
    await expect(here.tree.push(here.taskOf(image))).rejects.toMatchObject({ code: 'CONTENT_UNKNOWN' });
  });
});

describe('a destination that refuses a format', () => {
  const refused = { kind: 'status', status: 415, body: '{"errors":[{"code":"UNSUPPORTED"}]}' } as const;
  const refuse = (when: (entry: JournalEntry) => boolean) => ({
    match: { kind: 'manifest-put', when } as const,
    fault: refused,
    times: Number.POSITIVE_INFINITY,
  });
  async function refusal(when: (entry: JournalEntry, attested: readonly Digest[]) => boolean) {
    await using here = await world();
    const { index, images } = seedAttested(here.source.storage, APP);
    const own = images.map(({ digest }) => digest);
    const attestations = childrenOf(index).filter((digest) => !own.includes(digest));
    here.sink.fail(refuse((entry) => when(entry, attestations)));
    const error = await here.tree.push(here.taskOf(index)).catch((reason: unknown) => reason);
    return error instanceof RefusedManifest ? error.format : error;
  }

  it.each<[string, Parameters<typeof refusal>[0]]>([
    ['attestation', ({ reference }, attested) => attested.some((digest) => digest === reference)],
    ['oci-index', ({ headers }) => headers['content-type'] === MEDIA_TYPE.ociIndex],
    ['oci-image', ({ headers }) => headers['content-type'] === MEDIA_TYPE.ociManifest],
  ])('is told by the first that another form could do without: %s', async (format, when) => {
    expect(await refusal(when)).toBe(format);
  });

  it('for one platform is told with that platform, without another attempt', async () => {
    await using here = await world();
    const platforms = ['linux/amd64', 'windows/amd64'];
    const index = seedIndex(here.source.storage, APP, { platforms });
    const [, windows] = childrenOf(index);
    here.sink.fail({
      match: { kind: 'manifest-put', when: ({ reference }) => reference === windows },
      fault: { kind: 'status', status: 400, body: '{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}' },
      times: Number.POSITIVE_INFINITY,
    });
    await expect(here.tree.push(here.taskOf(index))).rejects.toMatchObject({
      code: 'REGISTRY_REFUSED',
      message: expect.stringMatching(
        /^windows\/amd64: cannot push its manifest, the registry answered 400: /,
      ),
      hint: expect.stringContaining('{"match": "app", "platforms": ["linux/amd64"]}'),
    });
    expect(here.puts().filter((reference) => reference === windows)).toHaveLength(1);
  });

  it('for want of a layer that the source does not hold is asked for once more, and no more', async () => {
    await using here = await world();
    const image = seedWindows(here.source.storage, APP);
    const fault = {
      kind: 'status',
      status: 400,
      body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}',
    } as const;
    here.sink.fail({ match: { kind: 'manifest-put' }, fault, times: Number.POSITIVE_INFINITY });
    await expect(here.tree.push(here.taskOf(image))).rejects.toMatchObject({ code: 'CONTENT_UNKNOWN' });
    expect(here.puts()).toEqual(['v1', 'v1']);
  });

  it('fails for another reason where there is one', async () => {
    await using here = await world();
    const { index, images } = seedAttested(here.source.storage, APP);
    const [first] = images;
    here.sink.fail({
      match: { kind: 'manifest-put', when: ({ reference }) => reference === first?.digest },
      fault: { kind: 'status', status: 403 },
    });
    here.sink.fail(refuse(() => true));
    await expect(here.tree.push(here.taskOf(index))).rejects.toMatchObject({ code: 'DENIED' });
  });
});

describe('an image whose time is over', () => {
  const LIMIT = seconds(60);

  // Its time is over when a test says so: how fast this machine is does not decide.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends alone: another that shares its parts goes on', async () => {
    await using here = await world();
    const index = seedIndex(here.source.storage, APP);
    const held = here.sink.journal.next({ kind: 'upload-put' });
    const silent = here.sink.fail({ match: { kind: 'upload-put' }, fault: { kind: 'silence' } });
    const hasty = here.tree.push(here.taskOf(index, 'v1', LIMIT));
    await held;
    const patient = here.tree.push(here.taskOf(index, 'v2'));
    // Once it shares what is under way.
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(LIMIT);
    await expect(hasty).rejects.toMatchObject({ code: 'PUSH_TIMED_OUT' });
    await patient;
    expect(silent.hits).toBe(1);
    expect(here.sink.storage.manifest(TARGET, 'v2')?.digest).toBe(index.digest);
    expect(here.sink.storage.manifest(TARGET, 'v1')).toBeUndefined();
  });

  it('as the destination works on its manifest is told with the flag that gives it more', async () => {
    await using here = await world();
    const image = seedImage(here.source.storage, APP);
    const held = here.sink.journal.next({ kind: 'manifest-put' });
    here.sink.fail({ match: { kind: 'manifest-put' }, fault: { kind: 'silence' }, times: Infinity });
    const pushing = here.tree.push(here.taskOf(image, 'v1', LIMIT));
    await held;
    vi.advanceTimersByTime(LIMIT);
    await expect(pushing).rejects.toMatchObject({
      code: 'PUSH_TIMED_OUT',
      hint: expect.stringContaining('--push-timeout'),
    });
    expect(here.sink.journal.count('manifest-put')).toBe(1);
  });
});
