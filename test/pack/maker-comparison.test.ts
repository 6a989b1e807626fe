import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobStore } from '../../src/pack/fetch/blob-store.ts';
import { findImage } from '../../src/pack/fetch/image-lookup.ts';
import { UpstreamComparison } from '../../src/pack/fetch/maker-comparison.ts';
import { Makers } from '../../src/pack/fetch/maker-registries.ts';
import type { Digest } from '../../src/registry/oci/digest.ts';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { type SeedOptions, seedImage, seedIndex } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { TestClient } from '../support/test-client.ts';
import { plannedImage } from './planned-image.ts';

const PLATFORM = parsePlatform('linux/amd64', 'test');
const LIST = { seed: 'tool', tags: ['v1'] };

describe('an image of a mirror', () => {
  let mirror: TestRegistry;
  let maker: TestRegistry;
  let client: TestClient;

  beforeEach(async () => {
    [mirror, maker] = await Promise.all([startRegistry(), startRegistry()]);
    client = new TestClient(mirror.host, { attempts: 1 });
  });
  afterEach(async () => {
    client[Symbol.dispose]();
    await Promise.all([mirror, maker].map((registry) => registry[Symbol.asyncDispose]()));
  });

  async function check(upstream = `${maker.host}/tool:v1`, source?: TestRegistry, digest?: Digest) {
    const { registries, signal } = client;
    const parts = { registries, blobs: new BlobStore(scratchFolder()), platform: PLATFORM, signal };
    const image = await findImage(plannedImage(upstream, source?.host, digest), parts);
    return new UpstreamComparison(new Makers(registries), PLATFORM).check(image, signal);
  }

  function seed(registry: TestRegistry, options: SeedOptions = {}) {
    return seedIndex(registry.storage, 'tool', { ...LIST, ...options });
  }

  it('is vouched for by the pin of the file, and nobody is asked', async () => {
    const { digest } = seed(mirror);
    expect(await check(undefined, mirror, digest)).toEqual({ kind: 'pin' });
    expect(maker.journal.count()).toBe(0);
  });

  it('is vouched for by its maker, where it was pulled from there', async () => {
    seed(maker);
    expect(await check()).toEqual({ kind: 'upstream', registry: maker.host });
  });

  it.each<[string, (registry: TestRegistry) => void]>([
    ['the same list', (registry) => seed(registry)],
    [
      'a list with the same image',
      (registry) => seedIndex(registry.storage, 'tool', { ...LIST, platforms: ['linux/amd64'] }),
    ],
    ['the same image alone', (registry) => seedImage(registry.storage, 'tool', LIST)],
    ['the same image in the other format', (registry) => seed(registry, { family: 'docker' })],
  ])('is vouched for by its maker, who has %s', async (_, seedMaker) => {
    seed(mirror);
    seedMaker(maker);
    expect(await check(undefined, mirror)).toEqual({ kind: 'upstream', registry: maker.host });
  });

  it('is refused where its maker has another one', async () => {
    seed(mirror);
    seed(maker, { seed: 'other' });
    await expect(check(undefined, mirror)).rejects.toMatchObject({
      code: 'IMAGE_DIFFERS',
      about: `${mirror.host}/tool:v1`,
    });
  });

  it('is vouched for by the mirror alone where its maker does not have it', async () => {
    seed(mirror);
    expect(await check(undefined, mirror)).toEqual({
      kind: 'mirror-only',
      reason: `${maker.host} does not have it`,
    });
  });

  it('is vouched for by the mirror alone where its maker has it for other platforms', async () => {
    seed(mirror);
    seedIndex(maker.storage, 'tool', { ...LIST, platforms: ['linux/arm64'] });
    expect(await check(undefined, mirror)).toEqual({
      kind: 'mirror-only',
      reason: `${maker.host} does not have it for this platform`,
    });
  });

  it('is vouched for by the mirror alone where its maker answers with an error', async () => {
    seed(mirror);
    maker.fail({ match: { kind: 'manifest-get' }, fault: { kind: 'status', status: 500 } });
    expect(await check(undefined, mirror)).toEqual({
      kind: 'mirror-only',
      reason: expect.stringMatching(
        new RegExp(`^${maker.host}: cannot get its manifest, the registry answered 500`),
      ),
    });
  });

  it('is vouched for by the mirror alone where its maker cannot be reached', async () => {
    seed(mirror);
    expect(await check('127.0.0.1:1/tool:v1', mirror)).toEqual({
      kind: 'mirror-only',
      reason: '127.0.0.1:1 cannot be reached (the connection was refused)',
    });
  });
});
