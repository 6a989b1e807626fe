import { describe, expect, it } from 'vitest';
import { type Duration, seconds } from '../../src/lib/duration.ts';
import { BlobBoard } from '../../src/registry/blob/blob-board.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { ImageCopier } from '../../src/sync/copy/image-copy.ts';
import { PartsSearch } from '../../src/sync/copy/missing-parts.ts';
import { describeReason } from '../../src/sync/plan/decision.ts';
import type { PlannedImage } from '../../src/sync/plan/planning.ts';
import { TagMaturity } from '../../src/sync/plan/tag-maturity.ts';
import { FORGETFUL_LOG } from '../support/forgetful-log.ts';
import { plannedImage, recordedImage } from '../support/planned-image.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const TARGET = parseRepository('keel/app');
const TAG = parseTag('v1');
const CHECK = { action: 'check', reason: describeReason('MOVING_TAG') } as const;

/** A source and a destination, and what copies `app:v1` from one to the other. */
async function world(choices: { quirks?: Quirks; isDryRun?: boolean; pushTimeout?: Duration } = {}) {
  const { quirks = {}, isDryRun = false, pushTimeout = seconds(60) } = choices;
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry());
  const sink = stack.use(await startRegistry({ quirks }));
  const client = stack.use(new TestClient(source.host));
  const target = client.registries.at(sink.host);
  const wasAbsent = () => false;
  const board = new BlobBoard({
    registry: target,
    wasAbsent,
    believedHolders: () => [],
    onBytes: () => undefined,
    onUploaded: () => undefined,
    onMissing: () => undefined,
  });
  const { signal } = client;
  const verification = undefined;
  const copier = new ImageCopier({
    target,
    board,
    search: new PartsSearch(target, signal),
    wasAbsent,
    verification,
    maturity: new TagMaturity({ log: FORGETFUL_LOG, now: new Date() }),
    pushTimeout,
    isDryRun,
    signal,
  });
  const image = (more: Partial<PlannedImage> = {}): PlannedImage =>
    plannedImage({
      source: { registry: client.registry, repository: APP, tag: TAG },
      target: { repository: TARGET, tag: TAG },
      sourceDigest: undefined,
      ...more,
    });
  const held = (name: string = TAG) => sink.storage.manifest(TARGET, name)?.digest;
  const writes = () => sink.journal.filter({ when: ({ method }) => method !== 'GET' && method !== 'HEAD' });
  return { source, sink, copier, image, held, writes, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('an image that is to be copied', () => {
  it('is, and nothing is asked before', async () => {
    await using here = await world();
    const { digest } = seedImage(here.source.storage, APP, { tags: [TAG], layers: [1000, 2000] });
    const result = await here.copier.mirror(here.image());
    expect(result).toMatchObject({
      outcome: 'copied',
      sourceDigest: digest,
      pushedDigest: digest,
      conversion: undefined,
      digests: [digest],
      replaced: undefined,
      missing: [],
      blobs: { uploaded: 3, mounted: 0, present: 0 },
    });
    expect(here.held()).toBe(digest);
    expect(here.source.journal.count('manifest-head')).toBe(0);
    expect(here.sink.journal.count('manifest-head')).toBe(0);
  });

  it('is by the digest that the source listed, though its tag moved since', async () => {
    await using here = await world();
    const { digest } = seedImage(here.source.storage, APP, { seed: 'old', tags: [TAG] });
    seedImage(here.source.storage, APP, { seed: 'new', tags: [TAG] });
    await here.copier.mirror(here.image({ sourceDigest: digest }));
    expect(here.held()).toBe(digest);
  });

  it('is by its tag where the source does not find the digest that it listed', async () => {
    await using here = await world();
    const { digest } = seedImage(here.source.storage, APP, { tags: [TAG] });
    here.source.fail({
      match: { kind: 'manifest-get', when: ({ path }) => path.includes('sha256:') },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 404 },
    });
    await here.copier.mirror(here.image({ sourceDigest: digest }));
    expect(here.held()).toBe(digest);
  });

  it('with some of its platforms is another index, whose parts are told', async () => {
    await using here = await world();
    const index = seedIndex(here.source.storage, APP, { tags: [TAG] });
    const [amd64] = index.kind === 'index' ? index.manifests : [];
    const platforms = [parsePlatform('linux/amd64', 'test')];
    const result = await here.copier.mirror(here.image({ platforms }));
    expect(result.sourceDigest).toBe(index.digest);
    expect(result.pushedDigest).not.toBe(index.digest);
    expect(here.held()).toBe(result.pushedDigest);
    expect(result.digests).toEqual([index.digest, amd64?.digest]);
  });

  it('is not in a dry run, which says so all the same', async () => {
    await using here = await world({ isDryRun: true });
    seedImage(here.source.storage, APP, { tags: [TAG] });
    expect(await here.copier.mirror(here.image())).toMatchObject({
      outcome: 'copied',
      size: 0,
      bytesSent: 0,
    });
    expect(here.writes()).toEqual([]);
  });

  it('is given up when its time is over, and leaves no tag', async () => {
    await using here = await world({ pushTimeout: seconds(0.05) });
    seedImage(here.source.storage, APP, { tags: [TAG] });
    here.sink.fail({
      match: { kind: 'upload-put' },
      fault: { kind: 'silence' },
      times: Number.POSITIVE_INFINITY,
    });
    await expect(here.copier.mirror(here.image())).rejects.toMatchObject({
      code: 'PUSH_TIMED_OUT',
      about: `${here.sink.host}/${TARGET}:${TAG}`,
    });
    expect(here.held()).toBeUndefined();
  });
});

describe('an image that the destination is asked for', () => {
  it('is confirmed by two questions where it is right', async () => {
    await using here = await world();
    const { digest } = seedImage(here.source.storage, APP, { tags: [TAG] });
    seedImage(here.sink.storage, TARGET, { seed: APP, tags: [TAG] });
    const result = await here.copier.mirror(here.image({ decision: CHECK }));
    expect(result).toEqual({
      outcome: 'unchanged',
      sourceDigest: digest,
      pushedDigest: digest,
      conversion: undefined,
      layersLeftOut: 0,
      digests: [digest],
      signature: undefined,
    });
    expect(here.source.journal.tally()).toEqual({ ping: 1, 'manifest-head': 1 });
    expect(here.sink.journal.tally()).toEqual({ ping: 1, 'manifest-head': 1 });
  });

  it.each([400, 401, 403, 405, 501])('is copied where the question is refused (%i)', async (status) => {
    await using here = await world();
    const { digest } = seedImage(here.source.storage, APP, { tags: [TAG] });
    const match = { kind: ['manifest-head', 'manifest-get'] } as const;
    here.sink.fail({ match, times: Number.POSITIVE_INFINITY, fault: { kind: 'status', status } });
    await here.copier.mirror(here.image({ decision: CHECK }));
    expect(here.held()).toBe(digest);
  });

  it.each([400, 403, 404, 405, 501])('is confirmed though both sides refuse HEAD (%i)', async (status) => {
    await using here = await world();
    seedImage(here.source.storage, APP, { tags: [TAG] });
    seedImage(here.sink.storage, TARGET, { seed: APP, tags: [TAG] });
    for (const side of [here.source, here.sink]) {
      const fault = { kind: 'status', status } as const;
      side.fail({ match: { kind: 'manifest-head' }, times: Number.POSITIVE_INFINITY, fault });
    }
    const result = await here.copier.mirror(here.image({ decision: CHECK }));
    expect(result.outcome).toBe('unchanged');
  });

  it('is confirmed where both sides have digests of their own algorithms', async () => {
    await using here = await world();
    const image = seedImage(here.source.storage, APP, { tags: [TAG] });
    seedImage(here.sink.storage, TARGET, { seed: APP, tags: [TAG] });
    const digest = digestOf(image.bytes, 'sha512');
    here.source.fail({
      match: { kind: 'manifest-head' },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 200, headers: { 'docker-content-digest': digest } },
    });
    here.source.fail({
      match: { kind: 'manifest-get', when: ({ path }) => path.endsWith(digest) },
      times: Number.POSITIVE_INFINITY,
      fault: {
        kind: 'status',
        status: 200,
        headers: { 'content-type': image.mediaType },
        body: image.bytes.toString(),
      },
    });
    expect(await here.copier.mirror(here.image({ decision: CHECK }))).toMatchObject({
      outcome: 'unchanged',
      sourceDigest: digest,
    });
    expect(here.writes()).toEqual([]);
    seedImage(here.sink.storage, TARGET, { seed: 'other', tags: [TAG] });
    expect((await here.copier.mirror(here.image({ decision: CHECK }))).outcome).toBe('copied');
    expect(here.held()).toBe(image.digest);
  });

  it('is copied where something else is there, or nothing', async () => {
    await using here = await world();
    const { digest } = seedImage(here.source.storage, APP, { tags: [TAG] });
    const image = here.image({ decision: CHECK });
    expect(await here.copier.mirror(image)).toMatchObject({ outcome: 'copied', replaced: 'nothing' });
    const other = seedImage(here.sink.storage, TARGET, { seed: 'other', tags: [TAG] });
    expect(await here.copier.mirror(image)).toMatchObject({ outcome: 'copied', replaced: other.digest });
    expect(here.held()).toBe(digest);
  });

  it('is copied where a registry denies what it does not have', async () => {
    await using here = await world({ quirks: { absentManifest: 403 } });
    seedImage(here.source.storage, APP, { tags: [TAG] });
    expect(await here.copier.mirror(here.image({ decision: CHECK }))).toMatchObject({ replaced: 'nothing' });
  });

  it('fails where the source does not have it', async () => {
    await using here = await world();
    here.source.storage.repository(APP);
    await expect(here.copier.mirror(here.image({ decision: CHECK }))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      about: `${here.source.host}/${APP}:${TAG}`,
    });
  });

  it.each([
    ['is confirmed by what the state knows of it', 'platforms=linux/amd64', 'unchanged', 0],
    ['is built to be known where settings changed', 'platforms=linux/arm64', 'unchanged', 1],
  ])('with some of its platforms %s', async (_, options, outcome, fetched) => {
    await using here = await world();
    const index = seedIndex(here.source.storage, APP, { tags: [TAG] });
    const platforms = [parsePlatform('linux/amd64', 'test')];
    const { pushedDigest } = await here.copier.mirror(here.image({ platforms }));
    const recorded = recordedImage({ sourceDigest: index.digest, pushedDigest, options });
    using client = new TestClient(here.source.host);
    here.source.journal.clear();
    const source = { registry: client.registry, repository: APP, tag: TAG };
    await using again = await world();
    again.sink.storage.repositories.set(TARGET, here.sink.storage.repository(TARGET));
    const image = again.image({ source, platforms, recorded, decision: CHECK });
    expect((await again.copier.mirror(image)).outcome).toBe(outcome);
    expect(here.source.journal.count('manifest-get')).toBe(fetched);
    expect(again.writes()).toEqual([]);
  });

  it('has the digests of what it lists told where signatures may belong beside them', async () => {
    await using here = await world();
    const index = seedIndex(here.source.storage, APP, { tags: [TAG] });
    await here.copier.mirror(here.image());
    const signatureTags = [parseTag(`sha256-${'a'.repeat(64)}.sig`)];
    const parts = index.kind === 'index' ? index.manifests.map(({ digest }) => digest) : [];
    const digests = async (more: Partial<PlannedImage>) =>
      (await here.copier.mirror(here.image({ decision: CHECK, ...more }))).digests;
    expect(await digests({ signatureTags })).toEqual([index.digest, ...parts]);
    expect(await digests({})).toEqual([index.digest]);
  });
});

describe('a tag that cannot be changed', () => {
  it.each(['copy', 'check'] as const)(
    'is as good as pushed where it holds the image (%s)',
    async (action) => {
      await using here = await world({ quirks: { immutableTags: 400 } });
      const { digest } = seedImage(here.source.storage, APP, { tags: [TAG] });
      seedImage(here.sink.storage, TARGET, { seed: APP, tags: [TAG] });
      here.sink.fail({ match: { kind: 'manifest-put' }, fault: { kind: 'status', status: 412 } });
      const image = here.image({ decision: { action, reason: describeReason('MOVING_TAG') } });
      expect(await here.copier.mirror(image)).toMatchObject({ outcome: 'unchanged', pushedDigest: digest });
    },
  );

  it('is told with what it holds and what it should', async () => {
    await using here = await world({ quirks: { immutableTags: 412 } });
    const { digest } = seedImage(here.source.storage, APP, { tags: [TAG] });
    const other = seedImage(here.sink.storage, TARGET, { seed: 'other', tags: [TAG] });
    const short = (text: string) => `${text.slice(0, 'sha256:'.length + 12)}…`;
    await expect(here.copier.mirror(here.image())).rejects.toMatchObject({
      code: 'TAG_IMMUTABLE',
      message: `the destination does not allow changes of this tag; it has ${short(other.digest)} there, and the source has ${short(digest)}`,
      hint: expect.stringContaining('tags cannot be changed there'),
    });
  });
});

describe('a destination that refuses a format', () => {
  it('gets the image in another one, and the next image without being tried', async () => {
    await using here = await world({ quirks: { refuseOciIndex: true } });
    seedIndex(here.source.storage, APP, { seed: 'one', tags: [TAG] });
    const result = await here.copier.mirror(here.image());
    expect(result).toMatchObject({ outcome: 'copied', conversion: 'docker-format' });
    expect(here.held()).toBe(result.pushedDigest);
    seedIndex(here.source.storage, APP, { seed: 'two', tags: ['v2'] });
    here.sink.journal.clear();
    const source = { ...here.image().source, tag: parseTag('v2') };
    await here.copier.mirror(here.image({ source }));
    const refused = here.sink.journal.count({ kind: 'manifest-put', when: ({ status }) => status >= 400 });
    expect(refused).toBe(0);
  });

  it('is the failure of an image that has no other form', async () => {
    await using here = await world();
    const { digest } = seedImage(here.source.storage, APP, { family: 'docker', tags: [TAG] });
    const fault = { kind: 'status', status: 415, body: '{"errors":[{"code":"UNSUPPORTED"}]}' } as const;
    here.sink.fail({ match: { kind: 'manifest-put' }, fault, times: Number.POSITIVE_INFINITY });
    await expect(here.copier.mirror(here.image({ sourceDigest: digest }))).rejects.toMatchObject({
      code: 'FORMAT_REFUSED',
    });
  });
});
