import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import { type Image, type Index, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parsePlatform } from '../../src/registry/oci/platform.ts';

/** Returns the digest of what a test calls by a word. */
export const digestFor = (word: string): Digest => digestOf(Buffer.from(word));

/** An entry of an index, by a word that its digest follows from. */
export interface SampleEntry {
  readonly word: string;
  readonly platform?: string;
  readonly mediaType?: string;
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Returns what BuildKit attests of the image that another entry lists. */
export function attestationOf(word: string): SampleEntry {
  return {
    word: `about ${word}`,
    platform: 'unknown/unknown',
    annotations: {
      'vnd.docker.reference.digest': digestFor(word),
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  };
}

/** Returns an index that lists some entries. */
export function sampleIndex(
  entries: readonly SampleEntry[],
  mediaType: string = MEDIA_TYPE.ociIndex,
  more: object = {},
): Index {
  const manifests = entries.map(
    ({ word, platform, mediaType: type = MEDIA_TYPE.ociManifest, size = 100, annotations }) => ({
      mediaType: type,
      digest: digestFor(word),
      size,
      platform: platform === undefined ? undefined : parsePlatform(platform, word),
      annotations,
    }),
  );
  const body = { schemaVersion: 2, mediaType, manifests, ...more };
  const index = parseManifest(Buffer.from(JSON.stringify(body)), mediaType, 'a sample');
  if (index.kind !== 'index') throw new Error(`${mediaType} is no index`);
  return index;
}

/** Returns an image of one layer; `config` and `layer` are its media types. */
export function sampleImage({
  mediaType = MEDIA_TYPE.ociManifest as string,
  config = 'application/vnd.oci.image.config.v1+json',
  layer = 'application/vnd.oci.image.layer.v1.tar+gzip',
} = {}): Image {
  const body = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: config, digest: digestFor('config'), size: 10 },
    layers: [{ mediaType: layer, digest: digestFor('layer'), size: 20 }],
  };
  const image = parseManifest(Buffer.from(JSON.stringify(body)), mediaType, 'a sample');
  if (image.kind !== 'image') throw new Error(`${mediaType} is no image`);
  return image;
}
