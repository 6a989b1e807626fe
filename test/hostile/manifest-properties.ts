import fc from 'fast-check';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { conversionFor, formImage, type RefusedFormat } from '../../src/sync/copy/format.ts';
import { choosePlatforms } from '../../src/sync/copy/platform-choice.ts';
import { hostileJson } from './inputs.ts';
import { type Property, property, require, unlessRefused } from './property.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const OTHER = `sha256:${'b2'.repeat(32)}`;
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export const IMAGE = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPE.ociManifest,
  config: { mediaType: OCI_CONFIG, digest: DIGEST, size: 100 },
  layers: [
    { mediaType: LAYER, digest: OTHER, size: 1000, annotations: { a: 'b' } },
    { mediaType: LAYER, digest: DIGEST, size: 100, urls: ['https://e.org/layer'] },
  ],
};
const DOCKER_IMAGE = { ...IMAGE, mediaType: MEDIA_TYPE.dockerManifest };
export const INDEX = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPE.ociIndex,
  manifests: [
    {
      mediaType: MEDIA_TYPE.ociManifest,
      digest: DIGEST,
      size: 500,
      platform: { os: 'linux', architecture: 'amd64' },
    },
    {
      mediaType: MEDIA_TYPE.ociManifest,
      digest: OTHER,
      size: 500,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.digest': DIGEST,
        'vnd.docker.reference.type': 'attestation-manifest',
      },
    },
  ],
};

const CODES = ['MANIFEST_UNUSABLE', 'PLATFORM_MISSING', 'FORMAT_UNCONVERTIBLE', 'INDEX_UNREASONABLE'];
const part = parseManifest(Buffer.from(JSON.stringify(IMAGE)), undefined, 'part');
const REFUSED: readonly RefusedFormat[][] = [
  [],
  ['attestation'],
  ['oci-index'],
  ['oci-image'],
  ['oci-index', 'oci-image'],
];

/** Bytes, digest and what was read of them belong together, so that what is pushed is what was looked at. */
function requireWhole(manifest: Manifest): void {
  require(digestOf(manifest.bytes) === manifest.digest, 'its digest is not that of its bytes');
  const again = parseManifest(manifest.bytes, manifest.mediaType, 'again');
  require(JSON.stringify(again) ===
    JSON.stringify(manifest), 'its bytes are read in another way the second time');
}

/** What holds for manifests, and for all that is made of them. */
export const MANIFEST_PROPERTIES: readonly Property[] = [
  property(
    'a manifest is refused, or its bytes say what was read of them',
    fc.tuple(
      hostileJson(IMAGE, INDEX, DOCKER_IMAGE),
      fc.constantFrom(undefined, ...Object.values(MEDIA_TYPE), 'text/html; charset=utf-8'),
    ),
    async ([text, contentType]) => {
      const manifest = await unlessRefused(CODES, () =>
        parseManifest(Buffer.from(text), contentType, 'test'),
      );
      if (manifest === undefined) return;
      requireWhole(manifest);
      const descriptors =
        manifest.kind === 'image' ? [manifest.config, ...manifest.layers] : manifest.manifests;
      require(descriptors.every(
        ({ size }) => Number.isSafeInteger(size) && size >= 0,
      ), 'a size is no number of bytes');
    },
  ),
  property(
    'an image that is converted or cut to a platform is refused, or whole',
    fc.tuple(hostileJson(IMAGE, INDEX), fc.constantFrom(...REFUSED), fc.boolean()),
    async ([text, refused, isCut]) => {
      const platforms = isCut ? [{ os: 'linux', architecture: 'amd64' }] : [];
      await unlessRefused(CODES, async () => {
        const original = parseManifest(Buffer.from(text), undefined, 'test');
        const fetch = async () => part;
        const { manifest } = await choosePlatforms(original, { platforms, about: 'test', fetch });
        requireWhole(manifest);
        const conversion = conversionFor(manifest, new Set(refused));
        const formed = await formImage(manifest, conversion, async () => part, 'test');
        requireWhole(formed.manifest);
        for (const each of formed.parts.values()) requireWhole(each);
      });
    },
  ),
];
