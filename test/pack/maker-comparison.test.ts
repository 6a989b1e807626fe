import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobStore } from '../../src/pack/fetch/blob-store.ts';
import { fetchImages } from '../../src/pack/fetch/image-fetch.ts';
import { findImage } from '../../src/pack/fetch/image-lookup.ts';
import { UpstreamComparison } from '../../src/pack/fetch/maker-comparison.ts';
import { MakerRegistries } from '../../src/pack/fetch/maker-registries.ts';
import type { Digest } from '../../src/registry/oci/digest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import { bytesContent } from '../support/registry/content.ts';
import { seedOtherLayers } from '../support/registry/other-layers.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { type SeedOptions, seedImage, seedIndex } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { TestClient } from '../support/test-client.ts';
import { plannedImage } from './planned-image.ts';

const PLATFORM = parsePlatform('linux/amd64', 'test');
const LIST = { seed: 'tool', tags: ['v1'] };

function repeated(tar: Buffer | undefined, times: number): Buffer[] {
  return tar === undefined ? [] : Array.from({ length: times }, () => gzipSync(tar));
}

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

  async function check(
    upstream = `${maker.host}/tool:v1`,
    source?: TestRegistry,
    digest?: Digest,
    unpackedLimit?: number,
  ) {
    const { registries, signal } = client;
    const blobs = new BlobStore(scratchFolder());
    const parts = { registries, blobs, platform: PLATFORM, signal };
    const comparison = new UpstreamComparison(new MakerRegistries(registries), PLATFORM, unpackedLimit);
    const image = await findImage(plannedImage(upstream, source?.host, digest), parts);
    const compared = { image, check: await comparison.check(image, signal) };
    const events = { onBytes: () => undefined, onFetched: () => undefined };
    const [checked] = await fetchImages([compared], { ...parts, ...events, comparison });
    return checked?.check;
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
  ])('is vouched for by its maker, who has %s', async (_, seedMaker) => {
    seed(mirror);
    seedMaker(maker);
    expect(await check(undefined, mirror)).toEqual({ kind: 'upstream', registry: maker.host });
  });

  it('is vouched for by its maker in the other format, as configuration and layers are the same', async () => {
    seed(mirror);
    seed(maker, { family: 'docker' });
    expect(await check(undefined, mirror)).toEqual({
      kind: 'upstream',
      registry: maker.host,
      compared: 'layers',
    });
  });

  it('is compared where the mirror is another repository at the registry of its maker', async () => {
    const upstream = `${maker.host}/team/tool:v1`;
    const pulled = () => check(upstream, maker);
    // Candidates at a mirror begin with the last part of the name.
    seed(maker);
    expect(await pulled()).toEqual({ kind: 'mirror-only', reason: `${maker.host} does not have it` });
    seedIndex(maker.storage, 'team/tool', { ...LIST, seed: 'genuine' });
    await expect(pulled()).rejects.toMatchObject({ code: 'IMAGE_DIFFERS' });
    seedIndex(maker.storage, 'team/tool', LIST);
    expect(await pulled()).toEqual({ kind: 'upstream', registry: maker.host });
  });

  const another = Buffer.from('what nobody asked for');

  /** Lets the mirror serve the genuine configuration with what is made of the genuine layers. */
  function mirrorServes(change: (unpacked: readonly Buffer[]) => readonly Buffer[]): void {
    seedImage(maker.storage, 'tool', LIST);
    seedOtherLayers(mirror.storage, 'tool', seedImage(mirror.storage, 'tool', LIST), ['v1'], change);
  }

  it.each<[string, RegExp, (unpacked: readonly Buffer[]) => readonly Buffer[]]>([
    ['another layer', /unpacks to sha256/, ([, ...rest]) => [another, ...rest].map((tar) => gzipSync(tar))],
    ['one layer more', /3 layers, .* lists 2/, (layers) => [...layers, another].map((tar) => gzipSync(tar))],
    ['a layer twice', /3 layers, .* lists 2/, ([one, ...rest]) => repeated(one, 2).concat(rest)],
    ['one layer less', /1 layer, .* lists 2/, ([one]) => repeated(one, 1)],
    ['one layer in the place of both', /unpacks to sha256/, ([one]) => repeated(one, 2)],
    ['no layers', /0 layers, .* lists 2/, () => []],
    [
      'its layers in another order',
      /unpacks to/,
      (layers) => layers.toReversed().map((tar) => gzipSync(tar)),
    ],
    [
      'more behind each layer, in gzip',
      /unpacks to/,
      (layers) => layers.map((tar) => Buffer.concat([gzipSync(tar), gzipSync(another)])),
    ],
    [
      'more behind each layer, in zstd',
      /unpacks to/,
      (layers) => layers.map((tar) => Buffer.concat([zstdCompressSync(tar), zstdCompressSync(another)])),
    ],
    [
      'more behind the end of what is compressed',
      /cannot be unpacked/,
      (layers) => layers.map((tar) => Buffer.concat([gzipSync(tar), Buffer.alloc(9), gzipSync(another)])),
    ],
    [
      'layers that end too soon',
      /cannot be unpacked/,
      (layers) => layers.map((tar) => gzipSync(tar).subarray(0, -8)),
    ],
  ])('is refused where a mirror serves its configuration with %s', async (_, detail, change) => {
    mirrorServes(change);
    const refused = check(undefined, mirror);
    await expect(refused).rejects.toMatchObject({ code: 'IMAGE_DIFFERS', about: `${mirror.host}/tool:v1` });
    await expect(refused).rejects.toThrow(detail);
    await expect(refused).rejects.toThrow('has the same configuration but different layers');
  });

  it('is refused where it has other layers, and a configuration that says of none what it unpacks to', async () => {
    const bare = (registry: TestRegistry, layer: string) => {
      const config = Buffer.from('{"os":"linux","architecture":"amd64"}');
      const describe = (bytes: Buffer) => {
        return { digest: registry.storage.putBlob('tool', bytesContent(bytes)), size: bytes.length };
      };
      const bytes = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MEDIA_TYPE.ociManifest,
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...describe(config) },
          layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...describe(Buffer.from(layer)) }],
        }),
      );
      registry.storage.putManifest('tool', bytes, MEDIA_TYPE.ociManifest, ['v1']);
    };
    bare(maker, 'genuine');
    bare(mirror, 'other');
    await expect(check(undefined, mirror)).rejects.toThrow(/1 layer, but its configuration lists none/);
  });

  it.each<[string, (tar: Buffer) => Buffer]>([
    ['by gzip, and better', (tar) => gzipSync(tar, { level: 9, memLevel: 1 })],
    [
      'by gzip, in two members',
      (tar) => Buffer.concat([gzipSync(tar.subarray(0, 99)), gzipSync(tar.subarray(99))]),
    ],
    ['by zstd', (tar) => zstdCompressSync(tar)],
    [
      'by zstd, in frames of which one is to be skipped',
      (tar) =>
        Buffer.concat([
          zstdCompressSync(tar.subarray(0, 99)),
          Buffer.from('502a4d180300000061626f', 'hex'),
          zstdCompressSync(tar.subarray(99)),
        ]),
    ],
    ['not at all', (tar) => tar],
  ])('is vouched for by its maker where a mirror compressed its layers again %s', async (_, compress) => {
    mirrorServes((layers) => layers.map(compress));
    expect(await check(undefined, mirror)).toEqual({
      kind: 'upstream',
      registry: maker.host,
      compared: 'unpacked-layers',
    });
  });

  it('is vouched for by the mirror alone where its layers unpack to more than is unpacked', async () => {
    mirrorServes((layers) => layers.map((tar) => zstdCompressSync(tar)));
    expect(await check(undefined, mirror, undefined, 2999)).toEqual({
      kind: 'mirror-only',
      reason: `its layers are compressed differently from those at ${maker.host}, and unpack to more than 2.9 KiB`,
    });
    expect(await check(undefined, mirror, undefined, 3000)).toMatchObject({ kind: 'upstream' });
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
      reason: `${maker.host} has no image for this platform`,
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
