import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { parseTag, type Tag } from '../../src/registry/oci/reference.ts';
import { discover } from '../../src/sync/plan/discovery.ts';
import { groupByDestination } from '../../src/sync/plan/naming.ts';
import { type PlanningParts, planRepository, signaturesOf } from '../../src/sync/plan/planning.ts';
import { TagMaturity } from '../../src/sync/plan/tag-maturity.ts';
import type { SyncSettings } from '../../src/sync/settings.ts';
import { FORGETFUL_LOG } from '../support/forgetful-log.ts';
import { recordedImage } from '../support/planned-image.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { TestClient } from '../support/test-client.ts';

interface Choices extends Partial<SyncSettings> {
  /** Whether the source tells digests with its lists. */
  readonly style?: 'plain' | 'google';
  readonly quirks?: Quirks;
  readonly remembered?: Partial<PlanningParts['remembered']>;
}

/** A source and a destination, and the plans of what a set wants. */
async function world({ style = 'google', quirks = {}, remembered, ...choices }: Choices = {}) {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ listing: { style } }));
  const destination = stack.use(await startRegistry({ quirks }));
  const client = stack.use(new TestClient(source.host));
  const settings = new SyncRoute({ source, destination, set: {} }).settings({ verify: 'none', ...choices });
  const plan = async (content: object) => {
    const set = parseImageSet(parseDocument('image_set.json', JSON.stringify(content)));
    const registryAt = client.registries.at.bind(client.registries);
    const { signal } = client;
    const found = await discover({ set, source: client.registry, registryAt, namespaces: [], signal });
    const parts = {
      set,
      settings,
      target: registryAt(destination.host),
      remembered: {
        images: () => new Map(),
        holdsImages: () => false,
        failures: () => new Map(),
        ...remembered,
      },
      verification: undefined,
      maturity: new TagMaturity({ log: FORGETFUL_LOG, now: new Date('2026-03-01T02:00:00Z') }),
      now: new Date('2026-03-01T02:00:00Z'),
      signal,
    };
    const { groups } = groupByDestination(found, set, settings);
    return Promise.all(groups.map((group) => planRepository(group, parts)));
  };
  return { source, destination, plan, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const told = ([plan]: Awaited<ReturnType<Awaited<ReturnType<typeof world>>['plan']>>) =>
  (plan?.images ?? []).map(({ target, decision, rank }) => `${rank} ${target.tag} ${decision.reason.code}`);

describe('a destination repository', () => {
  it.each<[string, Quirks, boolean, string, string]>([
    ['that does not exist', {}, false, 'absent', 'REPOSITORY_NEW'],
    ['that the state knows and the registry denies', {}, true, 'unknown', 'DESTINATION_UNLISTED'],
    ['that may not be listed', { refuseTagsList: 403 }, false, 'unknown', 'DESTINATION_UNLISTED'],
    ['that is listed to nobody', { refuseTagsList: 401 }, false, 'unknown', 'DESTINATION_UNLISTED'],
  ])('%s is planned as such', async (_, quirks, isKnown, kind, code) => {
    const known = new Map<Tag, ReturnType<typeof recordedImage>>(
      isKnown ? [[parseTag('3.10'), recordedImage()]] : [],
    );
    await using here = await world({
      quirks,
      remembered: { holdsImages: () => isKnown, images: () => known },
    });
    seedImage(here.source.storage, 'pause', { tags: ['3.10'] });
    const plans = await here.plan({ names: ['pause'] });
    expect(plans.map(({ listing }) => listing.kind)).toEqual([kind]);
    expect(told(plans)).toEqual([`0 3.10 ${code}`]);
  });

  it.each([400, 403, 404, 405, 410, 415, 422, 501])(
    'whose list is refused (%i) is asked tag by tag',
    async (status) => {
      const known = new Map([[parseTag('3.10'), recordedImage()]]);
      await using here = await world({ remembered: { holdsImages: () => true, images: () => known } });
      seedImage(here.source.storage, 'pause', { tags: ['3.10'] });
      const fault = { kind: 'status', status } as const;
      here.destination.fail({ match: { kind: 'tags-list' }, times: Number.POSITIVE_INFINITY, fault });
      const plans = await here.plan({ names: ['pause'] });
      expect(told(plans)).toEqual(['0 3.10 DESTINATION_UNLISTED']);
    },
  );

  it('that fails to answer is not planned', async () => {
    await using here = await world();
    seedImage(here.source.storage, 'pause', { tags: ['3.10'] });
    const fault = { kind: 'status', status: 500 } as const;
    here.destination.fail({ match: { kind: 'tags-list' }, times: Number.POSITIVE_INFINITY, fault });
    await expect(here.plan({ names: ['pause'] })).rejects.toMatchObject({ code: 'REGISTRY_BROKEN' });
  });

  it('is planned the newest first, and what failed last time behind all others', async () => {
    const tag = parseTag('3.10');
    const failed = new Map([[tag, { tag, code: 'DENIED', failed: new Date(0) }]]);
    await using here = await world({ remembered: { failures: () => failed } });
    for (const tag of ['3.9', '3.10', '3.10.1']) {
      seedImage(here.source.storage, 'pause', { seed: tag, tags: [tag] });
    }
    seedImage(here.destination.storage, 'keel/pause', { seed: '3.9', tags: ['3.9'] });
    expect(told(await here.plan({ names: ['pause'] }))).toEqual([
      '0 3.10.1 MISSING',
      '1000001 3.10 MISSING',
      '2 3.9 NOT_IN_STATE',
    ]);
  });
});

describe('a source', () => {
  it('that does not exist has no plan', async () => {
    await using here = await world();
    const [plan] = await here.plan({ names: ['nosuch'] });
    expect([plan?.images, plan?.members]).toEqual([[], []]);
  });

  it.each<[string, string]>([
    ['null', '{"name":"pause","tags":null}'],
    ['none', '{"name":"pause","tags":[]}'],
    ['no list', '{"name":"pause"}'],
    ['those of signatures alone', `{"name":"pause","tags":["sha256-${'0'.repeat(64)}.sig"]}`],
    ['repositories below it', '{"name":"pause","child":["deep"],"manifest":{},"tags":[]}'],
  ])('whose last tag was deleted is as gone as one that does not exist: %s', async (_, body) => {
    await using here = await world();
    const fault = { kind: 'status', status: 200, body } as const;
    here.source.fail({ match: { kind: 'tags-list' }, fault });
    const [plan] = await here.plan({ names: ['pause'] });
    expect([plan?.images, plan?.members]).toEqual([[], []]);
  });

  it('whose tags are named is not listed, and may be missing', async () => {
    await using here = await world();
    const plans = await here.plan({ extras: [`${here.source.host}/nosuch:1`] });
    expect(told(plans)).toEqual(['0 1 REPOSITORY_NEW']);
    expect(here.source.journal.count('tags-list')).toBe(0);
  });

  it('has the platforms that the set wants of it, and else those of the run', async () => {
    await using here = await world();
    for (const name of ['a', 'b']) seedIndex(here.source.storage, name, { tags: ['v1'] });
    const patches = [{ match: 'b', platforms: ['linux/arm64'] }];
    const plans = await here.plan({ names: ['a', 'b'], patches });
    const platforms = plans.map(({ images }) =>
      images.map((image) => image.platforms.map((each) => each.architecture)),
    );
    expect(platforms).toEqual([[[]], [['arm64']]]);
  });
});

describe('sources that meet in one repository', () => {
  const names = ['pause', 'a/pause'];

  it('collide where their digests differ', async () => {
    await using here = await world();
    seedImage(here.source.storage, 'pause', { seed: 'one', tags: ['1', '2'] });
    seedImage(here.source.storage, 'a/pause', { seed: 'other', tags: ['2', '3'] });
    const [plan] = await here.plan({ names });
    expect(plan?.collisions.map(({ tag }) => tag)).toEqual(['2']);
    expect(plan?.images.map(({ target, name }) => `${target.tag} ${name}`)).toEqual(['1 pause', '3 a/pause']);
    expect(here.source.journal.count('manifest-head')).toBe(0);
  });

  it.each([
    ['the same', 'one', 'one', ['pause'], []],
    ['another', 'one', 'other', [], ['2']],
  ])('are asked for digests that are not listed: %s', async (_, one, other, chosen, collisions) => {
    await using here = await world({ style: 'plain' });
    seedImage(here.source.storage, 'pause', { seed: one, tags: ['2'] });
    seedImage(here.source.storage, 'a/pause', { seed: other, tags: ['2'] });
    const [plan] = await here.plan({ names });
    expect(plan?.images.map(({ name }) => name)).toEqual(chosen);
    expect(plan?.collisions.map(({ tag }) => tag)).toEqual(collisions);
    expect(here.source.journal.count('manifest-head')).toBe(2);
  });
});

describe('signatures', () => {
  async function signed(signatures: SyncSettings['signatures']) {
    const here = await world({ signatures });
    const index = seedIndex(here.source.storage, 'pause', { tags: ['3.10'] });
    const digests = [index, ...(index.kind === 'index' ? index.manifests : [])].map(({ digest }) => digest);
    const tags = digests.map((digest) => `${digest.replace(':', '-')}.sig`);
    for (const tag of tags) seedImage(here.source.storage, 'pause', { seed: tag, tags: [tag] });
    const [plan] = await here.plan({ names: ['pause'] });
    const [image] = plan?.images ?? [];
    if (plan === undefined || image === undefined) throw new Error('nothing was planned');
    return { here, plan, image, digests, tags };
  }

  it('are planned one by one, of the same source and with the urgency of their image', async () => {
    const { here, plan, image, digests, tags } = await signed('copy');
    await using _ = here;
    expect(plan.images).toHaveLength(1);
    const wanted = signaturesOf(image, digests.slice(0, 2));
    expect(wanted).toEqual(tags.slice(0, 2));
    const planned = wanted.map((tag) => plan.planTag({ ...image, rank: 7 }, tag));
    expect(planned.map(({ rank, source, platforms }) => [rank, source.tag, platforms.length])).toEqual(
      tags.slice(0, 2).map((tag) => [7, tag, 0]),
    );
  });

  it('are none where they are not copied', async () => {
    const { here, image, digests } = await signed('skip');
    await using _ = here;
    expect(signaturesOf(image, digests)).toEqual([]);
  });
});
