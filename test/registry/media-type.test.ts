import { expect, test } from 'vitest';
import {
  isBlobMediaType,
  isIndexMediaType,
  isManifestMediaType,
  MANIFEST_ACCEPT,
  MEDIA_TYPE,
  mayBeIndexType,
} from '../../src/registry/oci/media-type.ts';

test.each([
  ['ociIndex', true],
  ['dockerList', true],
  ['ociManifest', false],
  ['dockerManifest', false],
] as const)('%s can be copied and is asked for; it is an index: %s', (name, isIndex) => {
  const type = MEDIA_TYPE[name];
  expect([isManifestMediaType(type), isIndexMediaType(type), mayBeIndexType(type)]).toEqual([
    true,
    isIndex,
    isIndex,
  ]);
  expect(MANIFEST_ACCEPT.split(', ')).toContain(type);
});

test.each([
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.oci.image.config.v1+json',
  'application/json',
  '',
])('%j cannot be copied', (type) => {
  expect(isManifestMediaType(type)).toBe(false);
});

test.each([
  ['application/vnd.oci.image.layer.v1.tar+zstd', true],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', true],
  ['application/vnd.buildkit.cacheconfig.v0', true],
  ['application/spdx+json', true],
  ...Object.values(MEDIA_TYPE).map((type): [string, boolean] => [type, false]),
  ['application/vnd.docker.distribution.manifest.v1+prettyjws', false],
  ['application/vnd.oci.artifact.manifest.v1+json', false],
  ['', false],
])('an index entry of type %j is content and no manifest: %s', (type, isBlob) => {
  expect(isBlobMediaType(type)).toBe(isBlob);
});

test.each([
  ['application/vnd.docker.distribution.manifest.v2+json; charset=utf-8', false],
  ['application/vnd.docker.distribution.manifest.v1+prettyjws', false],
  ['application/vnd.docker.distribution.manifest.list.v2+json; charset=utf-8', true],
  ['application/json', true],
  ['', true],
])('what is told to be %j may be an index: %s', (told, mayBe) => {
  expect(mayBeIndexType(told)).toBe(mayBe);
});
