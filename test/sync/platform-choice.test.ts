import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import { choosePlatforms } from '../../src/sync/copy/platform-choice.ts';
import { attestationOf, digestFor, sampleImage, sampleIndex } from '../support/sample-manifest.ts';

const INDEX = sampleIndex(
  [
    { word: 'amd64', platform: 'linux/amd64' },
    { word: 'arm64', platform: 'linux/arm64' },
    { word: 'v7', platform: 'linux/arm/v7' },
    { word: 'windows', platform: 'windows/amd64' },
    { word: 'bare' },
    attestationOf('amd64'),
    attestationOf('arm64'),
  ],
  undefined,
  { annotations: { kept: 'as it is' } },
);

/** What is chosen of a manifest; `others` are the indexes that it lists. */
async function choose(manifest: Manifest, platforms: readonly string[], others: readonly Manifest[] = []) {
  const fetch = async (digest: Digest) => {
    const found = others.find((other) => other.digest === digest);
    if (found === undefined) throw new Error(`${digest} is not to be fetched`);
    return found;
  };
  return choosePlatforms(manifest, {
    platforms: platforms.map((text) => parsePlatform(text, 'test')),
    about: 'e.org/a:v1',
    fetch,
  });
}

const chosen = async (index: typeof INDEX, ...platforms: string[]) =>
  (await choose(index, platforms)).manifest;

function entryFor(word: string, platform: string) {
  const { os, architecture } = parsePlatform(platform, word);
  return {
    digest: digestFor(word),
    size: 100,
    mediaType: MEDIA_TYPE.ociManifest,
    platform: { os, architecture },
  };
}

function indexOf(manifests: readonly object[]): Manifest {
  const body = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests };
  return parseManifest(Buffer.from(JSON.stringify(body)), MEDIA_TYPE.ociIndex, 'a sample');
}

describe('of an index are kept', () => {
  test.each<[string[], string[]]>([
    [['linux/amd64'], ['amd64', 'about amd64']],
    [
      ['linux/arm64', 'linux/amd64'],
      ['amd64', 'arm64', 'about amd64', 'about arm64'],
    ],
    [['linux/arm/v7'], ['v7']],
    [
      ['linux/amd64', 'linux/s390x'],
      ['amd64', 'about amd64'],
    ],
  ])('for %j the images for them, and what is attested of these: %j', async (platforms, words) => {
    const kept = await chosen(INDEX, ...platforms);
    expect(kept.kind === 'index' ? kept.manifests.map(({ digest }) => digest) : []).toEqual(
      words.map(digestFor),
    );
    expect(kept.digest).not.toBe(INDEX.digest);
    expect(JSON.parse(kept.bytes.toString())).toMatchObject({ annotations: { kept: 'as it is' } });
  });
});

describe('nothing is changed of', () => {
  test('an index of which all is wanted', async () => {
    expect(await chosen(INDEX)).toBe(INDEX);
  });

  test('an index of which all is kept', async () => {
    const index = sampleIndex([{ word: 'amd64', platform: 'linux/amd64' }, attestationOf('amd64')]);
    expect(await chosen(index, 'linux/amd64', 'linux/arm64')).toBe(index);
  });

  test('a single image, which has no choice', async () => {
    const image = sampleImage();
    expect((await choose(image, ['linux/arm64'])).manifest).toBe(image);
  });
});

test.each([
  [INDEX, 'it offers linux/amd64, linux/arm64, linux/arm/v7, windows/amd64; see --platform and "patches"'],
  [sampleIndex([{ word: 'bare' }]), 'it offers no platform by name; see --platform and "patches"'],
])('an index without any of them is refused with what it offers', async (index, hint) => {
  await expect(chosen(index, 'linux/s390x', 'linux/ppc64le')).rejects.toThrow(
    expect.objectContaining({
      code: 'PLATFORM_MISSING',
      about: 'e.org/a:v1',
      message: 'it does not exist for linux/s390x, linux/ppc64le',
      hint,
    }),
  );
});

describe('an index in an index', () => {
  const inner = sampleIndex([
    { word: 'amd64', platform: 'linux/amd64' },
    { word: 'arm64', platform: 'linux/arm64' },
  ]);
  const listed = { digest: inner.digest, size: inner.bytes.length, mediaType: inner.mediaType };
  const outer = indexOf([listed, entryFor('s390x', 'linux/s390x')]);

  test('is looked into, and rewritten with the index above it', async () => {
    const { manifest, parts } = await choose(outer, ['linux/arm64'], [inner]);
    const [entry, ...others] = manifest.kind === 'index' ? manifest.manifests : [];
    expect(others).toEqual([]);
    const part = entry === undefined ? undefined : parts.get(entry.digest);
    expect(part?.kind === 'index' ? part.manifests.map(({ digest }) => digest) : []).toEqual([
      digestFor('arm64'),
    ]);
    expect(entry?.size).toBe(part?.bytes.length);
  });

  test('stays as it is where all of it is wanted', async () => {
    const { manifest, parts } = await choose(outer, ['linux/arm64', 'linux/amd64'], [inner]);
    expect(manifest.kind === 'index' ? manifest.manifests.map(({ digest }) => digest) : []).toEqual([
      inner.digest,
    ]);
    expect([...parts]).toEqual([]);
  });

  test('tells what it offers', async () => {
    await expect(choose(outer, ['linux/ppc64le'], [inner])).rejects.toMatchObject({
      code: 'PLATFORM_MISSING',
      hint: expect.stringContaining('it offers linux/amd64, linux/arm64, linux/s390x;'),
    });
  });
});

test('a build cache has no platforms and stays whole', async () => {
  const layer = 'application/vnd.oci.image.layer.v1.tar+gzip';
  const cache = sampleIndex([
    { word: 'layer', mediaType: layer },
    { word: 'config', mediaType: 'application/vnd.buildkit.cacheconfig.v0' },
  ]);
  expect((await choose(cache, ['linux/amd64'])).manifest).toBe(cache);
});
