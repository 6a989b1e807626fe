import { expect, test } from 'vitest';
import {
  isIndexMediaType,
  isManifestMediaType,
  MANIFEST_ACCEPT,
  MEDIA_TYPE,
} from '../../src/registry/oci/media-type.ts';

test.each([
  ['ociIndex', true],
  ['dockerList', true],
  ['ociManifest', false],
  ['dockerManifest', false],
] as const)('%s can be copied and is asked for; it is an index: %s', (name, isIndex) => {
  const type = MEDIA_TYPE[name];
  expect([isManifestMediaType(type), isIndexMediaType(type)]).toEqual([true, isIndex]);
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
