import { describe, expect, test } from 'vitest';
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

const chosen = (index: typeof INDEX, ...platforms: string[]) =>
  choosePlatforms(
    index,
    platforms.map((text) => parsePlatform(text, 'test')),
    'e.org/a:v1',
  );

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
  ])('for %j the images for them, and what is attested of these: %j', (platforms, words) => {
    const kept = chosen(INDEX, ...platforms);
    expect(kept.kind === 'index' ? kept.manifests.map(({ digest }) => digest) : []).toEqual(
      words.map(digestFor),
    );
    expect(kept.digest).not.toBe(INDEX.digest);
    expect(JSON.parse(kept.bytes.toString())).toMatchObject({ annotations: { kept: 'as it is' } });
  });
});

describe('nothing is changed of', () => {
  test('an index of which all is wanted', () => {
    expect(chosen(INDEX)).toBe(INDEX);
  });

  test('an index of which all is kept', () => {
    const index = sampleIndex([{ word: 'amd64', platform: 'linux/amd64' }, attestationOf('amd64')]);
    expect(chosen(index, 'linux/amd64', 'linux/arm64')).toBe(index);
  });

  test('a single image, which has no choice', () => {
    const image = sampleImage();
    expect(choosePlatforms(image, [parsePlatform('linux/arm64', 'test')], 'e.org/a:v1')).toBe(image);
  });
});

test.each([
  [INDEX, 'it offers linux/amd64, linux/arm64, linux/arm/v7, windows/amd64; see --platform and "patches"'],
  [sampleIndex([{ word: 'bare' }]), 'it offers no platform by name; see --platform and "patches"'],
])('an index without any of them is refused with what it offers', (index, hint) => {
  expect(() => chosen(index, 'linux/s390x', 'linux/ppc64le')).toThrow(
    expect.objectContaining({
      code: 'PLATFORM_MISSING',
      about: 'e.org/a:v1',
      message: 'it does not exist for linux/s390x, linux/ppc64le',
      hint,
    }),
  );
});
