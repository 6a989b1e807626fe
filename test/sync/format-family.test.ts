import { expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { formImage } from '../../src/sync/copy/format.ts';

const ENTRY = { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf(Buffer.from('x')), size: 1 };
const CONFIG = { ...ENTRY, mediaType: 'application/vnd.oci.image.config.v1+json' };
const IMAGE = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config: CONFIG, layers: [] };
const INDEX = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex };

it.each<[string, object]>([
  ['a platform is a list', { ...INDEX, manifests: [{ ...ENTRY, platform: [] }] }],
  ['a platform is a text', { ...INDEX, manifests: [{ ...ENTRY, platform: 'linux/amd64' }] }],
])('refuses to convert an index where %s', async (_, content) => {
  const read = (value: object) => parseManifest(Buffer.from(JSON.stringify(value)), undefined, 'test');
  const converting = formImage(read(content), 'docker-format', async () => read(IMAGE), 'e.org/a:v1');
  await expect(converting).rejects.toMatchObject({
    code: 'FORMAT_UNCONVERTIBLE',
    about: 'e.org/a:v1',
    message: expect.stringContaining('its manifest is malformed'),
  });
});
