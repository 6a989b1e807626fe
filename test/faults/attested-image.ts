import { digestOf } from '../../src/registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { bytesContent } from '../support/registry/content.ts';
import { type SeedOptions, seedImage } from '../support/registry/seed.ts';
import type { Storage } from '../support/registry/storage.ts';

const EMPTY = 'application/vnd.oci.empty.v1+json';

function json(body: object): Buffer {
  return Buffer.from(JSON.stringify(body));
}

/** Stores an artifact, such as an attestation or a signature: an empty configuration and one layer. */
export function seedArtifact(
  storage: Storage,
  repository: string,
  content: string,
  tags: readonly string[] = [],
): Manifest {
  const empty = Buffer.from('{}');
  const layer = Buffer.from(content);
  const mediaType = MEDIA_TYPE.ociManifest;
  const bytes = json({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: EMPTY, digest: storage.putBlob(repository, bytesContent(empty)), size: 2 },
    layers: [
      {
        mediaType: 'application/vnd.in-toto+json',
        digest: storage.putBlob(repository, bytesContent(layer)),
        size: layer.length,
      },
    ],
  });
  storage.putManifest(repository, bytes, mediaType, tags);
  return parseManifest(bytes, mediaType, repository);
}

/** Stores an OCI index as BuildKit makes it: images for two platforms, and an attestation for each. */
export function seedAttested(
  storage: Storage,
  repository: string,
  options: Omit<SeedOptions, 'platform' | 'family'> = {},
): { readonly index: Manifest; readonly images: readonly Manifest[] } {
  const { tags, ...rest } = options;
  const platforms = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
  ];
  const images = platforms.map(({ os, architecture }) =>
    seedImage(storage, repository, { ...rest, platform: `${os}/${architecture}` }),
  );
  const entries = images.map(({ mediaType, digest, bytes }, position) => ({
    mediaType,
    digest,
    size: bytes.length,
    platform: platforms[position],
  }));
  const attestations = images.map(({ digest }) => {
    const { mediaType, bytes } = seedArtifact(storage, repository, `about ${digest}`);
    return {
      mediaType,
      digest: digestOf(bytes),
      size: bytes.length,
      annotations: {
        'vnd.docker.reference.digest': digest,
        'vnd.docker.reference.type': 'attestation-manifest',
      },
      platform: { os: 'unknown', architecture: 'unknown' },
    };
  });
  const mediaType = MEDIA_TYPE.ociIndex;
  const bytes = json({ schemaVersion: 2, mediaType, manifests: [...entries, ...attestations] });
  storage.putManifest(repository, bytes, mediaType, tags);
  return { index: parseManifest(bytes, mediaType, repository), images };
}

/** Stores an OCI index of one image whose layer is compressed with zstd. */
export function seedZstdIndex(storage: Storage, repository: string, tag: string): Manifest {
  const single = seedImage(storage, repository, { seed: `${tag} zstd` });
  const text = single.bytes.toString('utf8').replaceAll('tar+gzip', 'tar+zstd');
  const image = Buffer.from(text);
  const digest = storage.putManifest(repository, image, MEDIA_TYPE.ociManifest);
  const mediaType = MEDIA_TYPE.ociIndex;
  const platform = { os: 'linux', architecture: 'amd64' };
  const manifests = [{ mediaType: MEDIA_TYPE.ociManifest, digest, size: image.length, platform }];
  const bytes = json({ schemaVersion: 2, mediaType, manifests });
  storage.putManifest(repository, bytes, mediaType, [tag]);
  return parseManifest(bytes, mediaType, repository);
}
