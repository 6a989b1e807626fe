import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../../src/registry/oci/manifest.ts';
import { parsePlatform } from '../../../src/registry/oci/platform.ts';
import { parseReference, parseRepository, parseTag } from '../../../src/registry/oci/reference.ts';
import { checkImage } from '../../../src/sync/check/image-check.ts';
import { extentOf } from '../../../src/sync/plan/decision.ts';
import { describeWith } from '../../support/programs.ts';
import { PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import { bytesContent } from '../../support/registry/content.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import type { RequestKind } from '../../support/registry/route.ts';
import { seedImage, seedIndex } from '../../support/registry/seed.ts';
import type { Storage } from '../../support/registry/storage.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { copyToFolder } from '../../support/skopeo.ts';
import { outcomes, type RunChoices, SyncRoute } from '../../support/sync-run.ts';
import { ALL, MIRRORED, world as realWorld } from './world.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'];

/** An image for two platforms, mirrored, and what the destination has of it. */
async function world() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  const seeds = { layers: [1000, 2000], layerSeeds: ['base'] };
  for (const tag of ['v1', 'v2'])
    seedIndex(source.storage, 'app', { ...seeds, seed: tag, tags: [tag], platforms: PLATFORMS });
  seedImage(source.storage, 'app', { ...seeds, seed: 'v3', tags: ['v3'] });
  const route = new SyncRoute({ source, destination, set: { names: ['app'] } });
  await route.run();
  const { storage } = destination;
  const check = async (tag: string) => {
    const image = parseReference(`${source.host}/app:${tag}`);
    const { tags } = await checkImage(image, route.settings(), route.parts());
    return tags[0];
  };
  const run = async (choices: RunChoices) => (await route.run(choices)).report;
  return { source, destination, storage, check, run, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function manifestOf(storage: Storage, name: string): Manifest {
  const stored = storage.manifest('keel/app', name);
  if (stored === undefined) throw new Error(`${name} is not there`);
  return parseManifest(stored.bytes, stored.mediaType, name);
}

/** The image for arm64 of a tag. */
function armOf(storage: Storage, tag: string): Digest {
  const index = manifestOf(storage, tag);
  const child = index.kind === 'index' ? index.manifests[1] : undefined;
  if (child === undefined) throw new Error(`${tag} has one platform`);
  return child.digest;
}

function blobsOf(storage: Storage, name: string): { config: Digest; layers: readonly Digest[] } {
  const manifest = manifestOf(storage, name);
  if (manifest.kind !== 'image') throw new Error(`${name} is an index`);
  return { config: manifest.config.digest, layers: manifest.layers.map(({ digest }) => digest) };
}

interface Loss {
  /** What someone removes at the destination. */
  readonly remove: (storage: Storage) => void;
  /** What is told of v1. */
  readonly told: RegExp;
  /** The tags that it belongs to. */
  readonly tags: readonly string[];
  /** Whether asking for the manifests below a tag shows it. */
  readonly showsInManifests?: true;
}

const LOSSES: readonly (Loss & { readonly what: string })[] = [
  {
    what: 'an image',
    remove: (storage) => storage.deleteManifest('keel/app', armOf(storage, 'v1')),
    told: /lacks its image for linux\/arm64, sha256:/,
    tags: ['v1'],
    showsInManifests: true,
  },
  {
    what: 'a layer',
    remove: (storage) => {
      const [, own] = blobsOf(storage, armOf(storage, 'v1')).layers;
      if (own !== undefined) storage.deleteBlob('keel/app', own);
    },
    told: /lacks layer 2 of 2 of its image for linux\/arm64, sha256:/,
    tags: ['v1'],
  },
  {
    what: 'a layer that all share',
    remove: (storage) => {
      const [base] = blobsOf(storage, armOf(storage, 'v1')).layers;
      if (base !== undefined) storage.deleteBlob('keel/app', base);
    },
    told: /lacks layer 1 of 2 of its image for linux\/(?:amd64|arm64), sha256:/,
    tags: ['v1', 'v2', 'v3'],
  },
  {
    what: 'a configuration',
    remove: (storage) => storage.deleteBlob('keel/app', blobsOf(storage, armOf(storage, 'v1')).config),
    told: /lacks the configuration of its image for linux\/arm64, sha256:/,
    tags: ['v1'],
  },
  {
    what: 'the end of a layer, as after a full disk,',
    remove: (storage) => {
      const [, own] = blobsOf(storage, armOf(storage, 'v1')).layers;
      if (own !== undefined) storage.contents.set(own, bytesContent('its beginning'));
    },
    told: /lacks layer 2 of 2 of its image for linux\/arm64, sha256:/,
    tags: ['v1'],
  },
  {
    what: 'a manifest under the bytes of another',
    remove: (storage) => {
      const { manifests } = storage.repository('keel/app');
      const arm = armOf(storage, 'v1');
      const stored = manifests.get(arm);
      if (stored !== undefined) manifests.set(arm, { ...stored, bytes: Buffer.from('{}') });
    },
    told: /lacks its image for linux\/arm64, sha256:/,
    tags: ['v1'],
  },
];

const EACH = { v1: 'checked', v2: 'checked', v3: 'checked' };
const keyed = (tags: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(tags).map(([tag, outcome]) => [`app:${tag}`, outcome]));

describe('a tag does not stand for what is below it', () => {
  it.each(LOSSES)('where $what is gone', async ({ remove, told, tags, showsInManifests = false }) => {
    await using all = await world();
    expect((await all.check('v1'))?.message).toContain('down to each layer (2 images, ');
    remove(all.storage);

    const copied = keyed({ ...EACH, ...Object.fromEntries(tags.map((tag) => [tag, 'copied'])) });
    all.destination.journal.clear();
    const seen = await all.run({ verify: 'all', dryRun: true });
    expect(outcomes(seen)).toEqual(showsInManifests ? copied : keyed(EACH));
    // Each tag, the two indexes, and their two images each. GET confirms what HEAD says is not there.
    const manifests = { 'manifest-head': 3 + 4, 'manifest-get': showsInManifests ? 3 : 2 };
    // The login is proved by a token and a ping with it; the repository has a token of its own.
    const login = { ping: 2, token: 2 };
    expect(all.destination.journal.tally()).toEqual({ ...login, 'tags-list': 1, ...manifests });
    expect(await all.check('v1')).toMatchObject({
      verdict: 'incomplete',
      message: expect.stringMatching(told),
    });

    const planned = await all.run({ verify: 'deep', dryRun: true });
    expect(outcomes(planned)).toEqual(copied);
    expect((await all.check('v1'))?.verdict).toBe('incomplete');

    const report = await all.run({ verify: 'deep' });
    expect(outcomes(report)).toEqual(copied);
    expect(report.images.find(({ destination }) => destination.endsWith(':v1'))?.reason).toMatchObject({
      code: 'INCOMPLETE',
      message: expect.stringContaining('incomplete at the destination, without '),
    });
    for (const tag of ['v1', 'v2', 'v3']) expect((await all.check(tag))?.verdict).toBe('mirrored');
    expect(outcomes(await all.run({ verify: 'deep' }))).toEqual(keyed(EACH));
  });

  it('where the state believes that another repository has the layer, and that was emptied too', async () => {
    await using source = await startRegistry({ access: PUBLIC_TOKENS });
    await using destination = await startRegistry({ access: TOKENS });
    for (const name of ['app', 'other']) {
      seedImage(source.storage, name, { seed: 'same', layerSeeds: ['one', 'two'], tags: ['v1'] });
    }
    const route = new SyncRoute({ source, destination, set: { names: ['app', 'other'] } });
    await route.run();
    const [layer] = blobsOf(destination.storage, 'v1').layers;
    if (layer === undefined) throw new Error('an image without layers');
    for (const name of ['keel/app', 'keel/other']) destination.storage.deleteBlob(name, layer);
    const { report } = await route.run({ verify: 'deep' });
    expect(outcomes(report)).toEqual({ 'app:v1': 'copied', 'other:v1': 'copied' });
    for (const name of ['keel/app', 'keel/other'])
      expect(destination.storage.blob(name, layer)).toBeDefined();
    expect(outcomes((await route.run({ verify: 'deep' })).report)).toEqual({
      'app:v1': 'checked',
      'other:v1': 'checked',
    });
  });

  it('where the registry keeps a layer that was cut, whatever it is sent: the image fails, and is no longer called copied', async () => {
    await using here = await world();
    const { contents } = here.storage;
    const [, own] = blobsOf(here.storage, armOf(here.storage, 'v1')).layers;
    if (own === undefined) throw new Error('v1 has one layer');
    contents.set(own, bytesContent('its beginning'));
    const set = contents.set.bind(contents);
    contents.set = (digest, content) => (digest === own ? contents : set(digest, content));
    const report = await here.run({ verify: 'deep' });
    expect(report.totals).toMatchObject({ failed: 1, copied: 0 });
    expect(report.images.find(({ outcome }) => outcome === 'failed')?.reason).toMatchObject({
      code: 'CONTENT_UNKNOWN',
      message: expect.stringMatching(
        /it accepted what was missing, but still lacks layer 2 of 2 of its image for linux\/arm64/,
      ),
      hint: expect.stringContaining('remove the file from its storage'),
    });
  });

  it('where the registry lets nobody change a tag: its parts are copied all the same', async () => {
    await using all = await world();
    all.destination.quirks = { immutableTags: 409 };
    all.storage.deleteManifest('keel/app', armOf(all.storage, 'v1'));
    expect(outcomes(await all.run({ verify: 'deep' }))).toEqual(keyed({ ...EACH, v1: 'copied' }));
    expect((await all.check('v1'))?.verdict).toBe('mirrored');
  });

  it('where the registry does not tell about blobs: nothing is copied, and check says so', async () => {
    await using all = await world();
    all.destination.fail({
      match: { kind: ['blob-head', 'blob-get'] },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 403 },
    });
    expect(outcomes(await all.run({ verify: 'deep' }))).toEqual(keyed(EACH));
    expect((await all.check('v1'))?.message).toMatch(/it does not answer whether it has 5 blobs of these\)$/);
  });

  it('where the registry does not show manifests: nothing is copied, and check says so', async () => {
    await using all = await world();
    all.destination.fail({
      match: { kind: 'manifest-get' },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 403 },
    });
    expect(outcomes(await all.run({ verify: 'deep' }))).toEqual(keyed(EACH));
    expect(await all.check('v1')).toMatchObject({
      verdict: 'unknown',
      message: expect.stringContaining('403'),
    });
  });
});

it.each<[string, readonly RequestKind[], number]>([
  ['HEAD by digest answers 500, and GET the manifest', ['manifest-head'], 0],
  ['both answer 500', ['manifest-head', 'manifest-get'], 1],
])('what is below a tag and cannot be asked for fails no image: %s', async (_, kind, warnings) => {
  await using all = await world();
  all.destination.fail({
    match: { kind, when: ({ reference }) => reference.startsWith('sha256:') },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 500 },
  });
  const report = await all.run({ verify: 'all' });
  expect(outcomes(report)).toEqual(keyed(EACH));
  expect(report.warnings.map(({ message }) => message)).toEqual(
    Array.from({ length: warnings }, () =>
      expect.stringMatching(
        /^the manifests and layers of 2 tags could not be checked, .* 500.*: .*\/app:v[12] and .*\/app:v[12]$/,
      ),
    ),
  );
});

/** The two weeks in which `--verify sample` asks for each tag once. */
const NIGHTS = Array.from({ length: 14 }, (_, night) => new Date(Date.UTC(2026, 2, 1 + night, 2)));
const isSampled = (tag: string, now: Date): boolean =>
  extentOf({
    repository: parseRepository('keel/app'),
    tag: parseTag(tag),
    verify: 'sample',
    now,
  }) === 'manifests';
/** A night in which a tag is, or is not, one of the sample. */
function nightWith(tag: string, isWanted: boolean): Date {
  const night = NIGHTS.find((now) => isSampled(tag, now) === isWanted);
  if (night === undefined) throw new Error(`no such night in two weeks for ${tag}`);
  return night;
}

describe.each([
  ['that tells digests with its listing', true],
  ['that tells none', false],
])('an index that lost its images under an intact tag, from a source %s, is found', (_, frontDoor) => {
  it.each<[string, RunChoices, boolean]>([
    ['at once with --verify all', { verify: 'all' }, true],
    ['on its day with --verify sample', { verify: 'sample', now: nightWith('v1.0.0', true) }, true],
    ['on no other day', { verify: 'sample', now: nightWith('v1.0.0', false) }, false],
    ['never with --verify none', { verify: 'none' }, false],
  ])('%s', async (_when, choices, isFound) => {
    await using source = await startRegistry({ access: PUBLIC_TOKENS, frontDoor });
    await using destination = await startRegistry({ access: TOKENS });
    seedIndex(source.storage, 'app', { tags: ['v1.0.0'], platforms: PLATFORMS });
    const route = new SyncRoute({ source, destination, set: { names: ['app'] } });
    await route.run();
    const { storage } = destination;
    const index = manifestOf(storage, 'v1.0.0');
    const listed = index.kind === 'index' ? index.manifests.map(({ digest }) => digest) : [];
    for (const digest of listed) storage.deleteManifest('keel/app', digest);
    const { report } = await route.run(choices);
    expect(report.images[0]?.outcome === 'copied').toBe(isFound);
    if (isFound) {
      expect(report.images[0]?.reason).toMatchObject({
        code: 'INCOMPLETE',
        message: expect.stringMatching(
          /without its image for linux\/amd64, .* and its image for linux\/arm64/,
        ),
      });
    }
    expect(listed.map((digest) => storage.manifest('keel/app', digest) !== undefined)).toEqual([
      isFound,
      isFound,
    ]);
  });
});

describe('what --verify sample asks for in one night', () => {
  const indexes = Array.from({ length: 28 }, (_, number) => `v1.${number}.0`);
  const images = Array.from({ length: 28 }, (_, number) => `v2.${number}.0`);
  const sampled = (tags: readonly string[], now: Date) => tags.filter((tag) => isSampled(tag, now)).length;
  const [tonight] = NIGHTS.filter((now) => sampled(indexes, now) > 1 && sampled(images, now) > 1);

  it.each([
    ['each sampled tag, and of an index itself and what it lists', [], PLATFORMS],
    ['of an index only the platforms that are wanted', ['linux/arm64'], ['linux/arm64']],
  ])('is %s', async (_, chosen, listed) => {
    await using source = await startRegistry({ access: PUBLIC_TOKENS, frontDoor: true });
    await using destination = await startRegistry({ access: TOKENS });
    for (const tag of indexes)
      seedIndex(source.storage, 'app', { seed: tag, layers: [100], tags: [tag], platforms: PLATFORMS });
    for (const tag of images)
      seedImage(source.storage, 'app', { seed: tag, layers: [100], tags: [tag], platform: 'linux/arm64' });
    const route = new SyncRoute({ source, destination, set: { names: ['app'] } });
    const platforms = chosen.map((text) => parsePlatform(text, 'the test'));
    await route.run({ platforms });
    destination.journal.clear();
    if (tonight === undefined) throw new Error('no night has two sampled indexes and images');
    const { report } = await route.run({ platforms, verify: 'sample', now: tonight });
    const [ofIndexes, ofImages] = [sampled(indexes, tonight), sampled(images, tonight)];
    const checked = Object.values(outcomes(report)).filter((outcome) => outcome === 'checked');
    expect(checked.length).toBe(ofIndexes + ofImages);
    expect(report.totals).toMatchObject({ copied: 0, failed: 0 });
    expect(destination.journal.tally()).toEqual({
      ping: 2,
      token: 2,
      'tags-list': 1,
      'manifest-head': ofImages + ofIndexes * (1 + listed.length),
      'manifest-get': ofIndexes,
    });
  });
});

describeWith(
  ['docker-registry', 'skopeo'],
  "after docker-registry's garbage collection of untagged manifests",
  () => {
    it.each<[string, readonly RunChoices[]]>([
      ['one run with --verify deep', [{ verify: 'deep' }]],
      ['one run with --verify all', [{ verify: 'all' }]],
      ['14 nightly runs', NIGHTS.map((now) => ({ verify: 'sample', now }))],
    ])('all images are whole again after %s, in the eyes of skopeo', async (_, runs) => {
      await using all = await realWorld();
      const { route, images, to } = all;
      await route.run();
      const deleted = await to.collectGarbage();
      expect(deleted).toContain('manifest eligible for deletion');
      expect(outcomes((await route.run({ verify: 'none' })).report)).toEqual(ALL('checked'));
      const copied: string[] = [];
      for (const choices of runs) {
        const { report } = await route.run(choices);
        const done = Object.entries(outcomes(report)).filter(([, outcome]) => outcome !== 'checked');
        copied.push(...done.map(([name, outcome]) => `${name} ${outcome}`));
      }
      const { 'pause:3.10': _image, ...indexes } = ALL('copied');
      expect(copied.toSorted()).toEqual(
        Object.keys(indexes)
          .map((name) => `${name} copied`)
          .toSorted(),
      );
      for (const [source, name] of MIRRORED) {
        const copy = await copyToFolder({ reference: `${to.host}/keel/${name}` }, `${scratchFolder()}/copy`);
        expect(copy.digest).toBe(images.get(source)?.digest);
      }
      expect(outcomes((await route.run({ verify: 'deep' })).report)).toEqual(ALL('checked'));
    });
  },
);

describe('the state knows of an image, and no part of it stands for the whole', () => {
  it('its size, also after a repair that sent a part', async () => {
    await using here = await world();
    const before = (await here.check('v1'))?.recorded?.bytes;
    here.storage.deleteManifest('keel/app', armOf(here.storage, 'v1'));
    expect(outcomes(await here.run({ verify: 'deep' }))['app:v1']).toBe('copied');
    expect(before).toBeGreaterThan(3000);
    expect((await here.check('v1'))?.recorded?.bytes).toBe(before);
  });

  it('the time of its push, also after a run that noted more of it', async () => {
    await using here = await world();
    const before = (await here.check('v3'))?.recorded;
    const later = new Date(Date.now() + 3_600_000);
    await here.run({ signatures: 'copy', verify: 'all', now: later });
    const { options, pushed } = (await here.check('v3'))?.recorded ?? {};
    expect(options).toBe('referrers');
    expect(pushed).toEqual(before?.pushed);
  });

  it('neither, where a run without the state found it there', async () => {
    await using here = await world();
    const { source, destination } = here;
    const route = new SyncRoute({ source, destination, set: { names: ['app'] } });
    await route.run();
    const image = parseReference(`${source.host}/app:v1`);
    const { tags } = await checkImage(image, route.settings(), route.parts());
    expect(tags[0]?.recorded).toMatchObject({ bytes: 0, pushed: undefined });
  });
});
