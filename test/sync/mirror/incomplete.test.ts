import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../../src/registry/oci/manifest.ts';
import { parseReference } from '../../../src/registry/oci/reference.ts';
import { checkImage } from '../../../src/sync/check/image-check.ts';
import { describeWith } from '../../support/programs.ts';
import { PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import { bytesContent } from '../../support/registry/content.ts';
import { startRegistry } from '../../support/registry/registry.ts';
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
}

const LOSSES: readonly (Loss & { readonly what: string })[] = [
  {
    what: 'an image',
    remove: (storage) => storage.deleteManifest('keel/app', armOf(storage, 'v1')),
    told: /lacks its image for linux\/arm64, sha256:/,
    tags: ['v1'],
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
  it.each(LOSSES)('where $what is gone', async ({ remove, told, tags }) => {
    await using all = await world();
    expect((await all.check('v1'))?.message).toContain('down to each layer (2 images, ');
    remove(all.storage);

    all.destination.journal.clear();
    expect(outcomes(await all.run({ verify: 'all' }))).toEqual(keyed(EACH));
    // The login is proved by a token and a ping with it; the repository has a token of its own.
    const login = { ping: 2, token: 2 };
    expect(all.destination.journal.tally()).toEqual({ ...login, 'tags-list': 1, 'manifest-head': 3 });
    expect(await all.check('v1')).toMatchObject({
      verdict: 'incomplete',
      message: expect.stringMatching(told),
    });

    const copied = keyed({ ...EACH, ...Object.fromEntries(tags.map((tag) => [tag, 'copied'])) });
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
        /it took what was missing, and still lacks layer 2 of 2 of its image for linux\/arm64/,
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
    expect((await all.check('v1'))?.message).toMatch(/it does not tell about 5 blobs of these\)$/);
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

describeWith(
  ['docker-registry', 'skopeo'],
  "after docker-registry's garbage collection of untagged manifests",
  () => {
    it('all images are whole again in the eyes of skopeo', async () => {
      await using all = await realWorld();
      const { route, images, to } = all;
      await route.run();
      const deleted = await to.collectGarbage();
      expect(deleted).toContain('manifest eligible for deletion');
      expect(outcomes((await route.run({ verify: 'all' })).report)).toEqual(ALL('checked'));
      const { report } = await route.run({ verify: 'deep' });
      expect(outcomes(report)).toEqual({ ...ALL('copied'), 'pause:3.10': 'checked' });
      for (const [source, name] of MIRRORED) {
        const copy = await copyToFolder({ reference: `${to.host}/keel/${name}` }, `${scratchFolder()}/copy`);
        expect(copy.digest).toBe(images.get(source)?.digest);
      }
      expect(outcomes((await route.run({ verify: 'deep' })).report)).toEqual(ALL('checked'));
    });
  },
);
