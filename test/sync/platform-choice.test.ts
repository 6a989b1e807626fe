import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import { choosePlatforms } from '../../src/sync/copy/platform-choice.ts';

const NAMES = ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7', 'windows/amd64'];

function digestFor(name: string) {
  return digestOf(Buffer.from(name));
}

function entry(name: string, more: object = {}) {
  return { mediaType: MEDIA_TYPE.ociManifest, digest: digestFor(name), size: 1, ...more };
}

/** An index of all names, each with its attestation, and of an entry without a platform. */
const INDEX = read({
  schemaVersion: 2,
  mediaType: MEDIA_TYPE.ociIndex,
  manifests: [
    ...NAMES.map((name) => entry(name, { platform: parsePlatform(name, 'it') })),
    ...NAMES.map((name) =>
      entry(`attestation of ${name}`, {
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.digest': digestFor(name) },
      }),
    ),
    entry('no platform'),
  ],
});

function read(content: object) {
  return parseManifest(Buffer.from(JSON.stringify(content)), undefined, 'it');
}

/** Returns what an index of the chosen platforms lists, by name. */
function chosen(...platforms: readonly string[]): readonly string[] {
  const wanted = platforms.map((platform) => parsePlatform(platform, '--platform'));
  const manifest = choosePlatforms(INDEX, wanted, 'it');
  if (manifest.kind !== 'index') throw new Error('it is no index');
  const known = [...NAMES, ...NAMES.map((name) => `attestation of ${name}`), 'no platform'];
  return manifest.manifests.map(({ digest }) => known.find((name) => digestFor(name) === digest) ?? digest);
}

describe('of an index', () => {
  test.each<[platforms: readonly string[], names: readonly string[]]>([
    [['linux/amd64'], ['linux/amd64']],
    [
      ['linux/amd64', 'windows/amd64'],
      ['linux/amd64', 'windows/amd64'],
    ],
    [['linux/arm'], ['linux/arm/v6', 'linux/arm/v7']],
    [['linux/arm/v7'], ['linux/arm/v7']],
    [['linux/amd64', 'linux/s390x'], ['linux/amd64']],
  ])('%j keeps those and what is attested of them', (platforms, names) => {
    expect(chosen(...platforms)).toEqual([...names, ...names.map((name) => `attestation of ${name}`)]);
  });

  test('all is kept as it is where nothing is chosen', () => {
    expect(choosePlatforms(INDEX, [], 'it')).toBe(INDEX);
  });

  test('nothing is left of platforms that it does not have, which says what it offers', () => {
    expect(() => chosen('linux/s390x', 'linux/ppc64le')).toThrow(
      expect.objectContaining({
        code: 'PLATFORM_MISSING',
        about: 'it',
        message: 'it does not exist for linux/s390x, linux/ppc64le',
        hint: 'it offers linux/amd64, linux/arm/v6, linux/arm/v7, windows/amd64; see --platform and "patches"',
      }),
    );
  });

  test('without platforms nothing can be chosen', () => {
    const bare = read({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociIndex,
      manifests: [entry('no platform')],
    });
    expect(() => choosePlatforms(bare, [parsePlatform('linux/amd64', 'it')], 'it')).toThrow(
      expect.objectContaining({ hint: 'it offers no platform by name; see --platform and "patches"' }),
    );
  });
});

test('an image of one platform is taken as it is', () => {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestFor('c'), size: 1 };
  const image = read({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers: [] });
  expect(choosePlatforms(image, [parsePlatform('linux/s390x', 'it')], 'it')).toBe(image);
});
