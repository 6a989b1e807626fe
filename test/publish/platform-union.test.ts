import { expect, test } from 'vitest';
import {
  joinPlatforms,
  platformOfConfig,
  type TaggedImage,
} from '../../src/publish/images/platform-union.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { type Image, type Index, parseManifest } from '../../src/registry/oci/manifest.ts';
import { type ManifestMediaType, MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { formatPlatform, parsePlatform } from '../../src/registry/oci/platform.ts';

const CONFIG = {
  mediaType: 'application/vnd.oci.image.config.v1+json',
  size: 2,
  digest: digestOf(Buffer.from('{}')),
};

function image(name: string, mediaType: ManifestMediaType = MEDIA_TYPE.ociManifest): Image {
  const body = { schemaVersion: 2, mediaType, config: CONFIG, layers: [], annotations: { name } };
  const manifest = parseManifest(Buffer.from(JSON.stringify(body)), undefined, name);
  if (manifest.kind !== 'image') throw new Error(manifest.kind);
  return manifest;
}

function index(...entries: readonly [Image, string | undefined][]): Index {
  const manifests = entries.map(([{ mediaType, digest, bytes }, platform]) => ({
    ...{ mediaType, digest, size: bytes.length },
    ...(platform === undefined ? {} : { platform: parsePlatform(platform, 'test') }),
  }));
  const body = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests };
  const manifest = parseManifest(Buffer.from(JSON.stringify(body)), undefined, 'index');
  if (manifest.kind !== 'index') throw new Error(manifest.kind);
  return manifest;
}

const OURS = image('ours');
const THEIRS = image('theirs');
const platformed = (manifest: Image, platform: string | undefined): TaggedImage => ({
  manifest,
  platform: platform === undefined ? undefined : parsePlatform(platform, 'test'),
});

test.each<[string, TaggedImage, boolean, 'listed' | 'taken' | readonly string[]]>([
  [
    'an index that lists it',
    { manifest: index([OURS, 'linux/amd64'], [THEIRS, 'linux/arm64']) },
    false,
    'listed',
  ],
  ['an image for another platform', platformed(THEIRS, 'linux/arm64'), false, ['linux/arm64', 'linux/amd64']],
  [
    'an index without its platform',
    { manifest: index([THEIRS, 'linux/arm/v7']) },
    false,
    ['linux/arm/v7', 'linux/amd64'],
  ],
  ['another image for its platform', platformed(THEIRS, 'linux/amd64'), false, 'taken'],
  ['another image for its platform, to be replaced', platformed(THEIRS, 'linux/amd64'), true, 'taken'],
  [
    'an index with another one for its platform',
    { manifest: index([THEIRS, 'linux/amd64']) },
    false,
    'taken',
  ],
  [
    'an index with another one for its platform, to be replaced',
    { manifest: index([THEIRS, 'linux/amd64'], [image('third'), 'linux/s390x']) },
    true,
    ['linux/s390x', 'linux/amd64'],
  ],
  ['an image that tells no platform', platformed(THEIRS, undefined), false, 'taken'],
])('a tag with %s', (_, there, replaces, expected) => {
  const own = { manifest: OURS, platform: parsePlatform('linux/amd64', 'test') };
  const union = joinPlatforms(there, own, { about: 'test', replaces });
  if (union.kind !== 'joined') return expect(union.kind).toBe(expected);
  if (union.index.kind !== 'index') throw new Error(union.index.kind);
  expect(union.index.manifests.map(({ platform }) => platform && formatPlatform(platform))).toEqual(expected);
  expect(union.index.manifests.at(-1)?.digest).toBe(OURS.digest);
});

test.each([
  [MEDIA_TYPE.dockerManifest, MEDIA_TYPE.dockerList],
  [MEDIA_TYPE.ociManifest, MEDIA_TYPE.ociIndex],
])('an index of %s is a %s', (type, expected) => {
  const own = { manifest: image('ours', type), platform: parsePlatform('linux/amd64', 'test') };
  const there = platformed(image('theirs', MEDIA_TYPE.dockerManifest), 'linux/arm64');
  expect(joinPlatforms(there, own, { about: 'test', replaces: false })).toMatchObject({
    index: { mediaType: expected },
    beside: ['linux/arm64'],
  });
});

test.each([
  ['{"os":"linux","architecture":"arm64","variant":"v8"}', 'linux/arm64/v8'],
  ['{"os":"linux","architecture":"x86_64"}', 'linux/amd64'],
  ['{}', undefined],
  ['<html>', undefined],
])('the platform of %s is %s', (config, expected) => {
  const platform = platformOfConfig(Buffer.from(config));
  expect(platform && formatPlatform(platform)).toBe(expected);
});
