import { gzipSync } from 'node:zlib';
import { digestOf } from '../../../src/registry/oci/digest.ts';
import { type Descriptor, type Manifest, parseManifest } from '../../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../../src/registry/oci/media-type.ts';
import { formatPlatform, type Platform, parsePlatform } from '../../../src/registry/oci/platform.ts';
import type { Image } from '../images/image.ts';
import { bytesContent, contentDigest, contentSize, generatedBytes, generatedContent } from './content.ts';
import type { Storage } from './storage.ts';

export interface SeedOptions {
  /** Everything made up follows from it: the same seed gives the same digests. */
  readonly seed?: string;
  readonly tags?: readonly string[];
  readonly family?: 'oci' | 'docker';
  /** Uncompressed bytes of each layer. From a mebibyte on a layer is made up while it is read, and no real gzip. */
  readonly layers?: readonly number[];
  /** Seeds of layers, where images are to share some. */
  readonly layerSeeds?: readonly string[];
  readonly platform?: string;
  readonly uploaded?: number;
  /** When the image was made, as its configuration says it. */
  readonly created?: string | undefined;
}

const GENERATED_FROM = 1024 * 1024;

const TYPES = {
  oci: {
    index: MEDIA_TYPE.ociIndex,
    image: MEDIA_TYPE.ociManifest,
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    index: MEDIA_TYPE.dockerList,
    image: MEDIA_TYPE.dockerManifest,
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

function seedLayer(
  storage: Storage,
  repository: string,
  seed: string,
  size: number,
): Pick<Descriptor, 'digest' | 'size'> & { diff: string } {
  const isLarge = size >= GENERATED_FROM;
  const plain = isLarge ? Buffer.alloc(0) : generatedBytes(seed, size);
  const content = isLarge ? generatedContent(seed, size) : bytesContent(gzipSync(plain));
  const digest = contentDigest(content);
  storage.putBlob(repository, content, digest);
  return { digest, size: contentSize(content), diff: isLarge ? digest : digestOf(plain) };
}

/** Stores an image of one platform with its blobs, and returns its manifest. */
export function seedImage(storage: Storage, repository: string, options: SeedOptions = {}): Manifest {
  const { seed = repository, family = 'oci', layers = [1000, 2000], platform = 'linux/amd64' } = options;
  const types = TYPES[family];
  const { os, architecture, variant }: Platform = parsePlatform(platform, 'seed');
  const stored = layers.map((size, index) =>
    seedLayer(storage, repository, options.layerSeeds?.[index] ?? `${seed} ${platform} layer ${index}`, size),
  );
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
      created: options.created,
      config: { Labels: { seed } },
      rootfs: { type: 'layers', diff_ids: stored.map(({ diff }) => diff) },
    }),
  );
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.image,
      config: {
        mediaType: types.config,
        digest: storage.putBlob(repository, bytesContent(config)),
        size: config.length,
      },
      layers: stored.map(({ digest, size }) => ({ mediaType: types.layer, digest, size })),
    }),
  );
  storage.putManifest(repository, bytes, types.image, options.tags, options.uploaded);
  return parseManifest(bytes, types.image, repository);
}

/** Stores an image of several platforms with all its parts, and returns its index. */
export function seedIndex(
  storage: Storage,
  repository: string,
  options: Omit<SeedOptions, 'platform'> & { readonly platforms?: readonly string[] } = {},
): Manifest {
  const { platforms = ['linux/amd64', 'linux/arm64'], family = 'oci', tags, ...rest } = options;
  const types = TYPES[family];
  const manifests = platforms.map((text) => {
    const platform = parsePlatform(text, 'seed');
    const child = seedImage(storage, repository, { ...rest, family, platform: formatPlatform(platform) });
    return { mediaType: child.mediaType, digest: child.digest, size: child.bytes.length, platform };
  });
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests }));
  storage.putManifest(repository, bytes, types.index, tags, options.uploaded);
  return parseManifest(bytes, types.index, repository);
}

/**
 * Stores an image like those of Windows: its base layer has an address elsewhere, and is of a type that is not
 * distributed unless the test says otherwise. Returns its manifest.
 */
export function seedWindows(
  storage: Storage,
  repository: string,
  choices: {
    readonly tags?: readonly string[];
    readonly baseType?: string;
    /** Whether the base layer is there. */
    readonly isHeld?: boolean;
    readonly platform?: string;
  } = {},
): Manifest {
  const {
    tags = [],
    baseType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    isHeld = false,
    platform = 'windows/amd64',
  } = choices;
  const image = seedImage(storage, repository, {
    family: 'docker',
    platform,
    layers: [700],
  });
  const base = Buffer.from(`base of ${repository}`);
  const digest = isHeld ? storage.putBlob(repository, bytesContent(base)) : digestOf(base);
  const body: { layers: object[] } = JSON.parse(image.bytes.toString('utf8'));
  body.layers.unshift({ mediaType: baseType, digest, size: base.length, urls: ['https://e.org/base'] });
  const bytes = Buffer.from(JSON.stringify(body));
  storage.putManifest(repository, bytes, image.mediaType, tags);
  return parseManifest(bytes, image.mediaType, repository);
}

/** Stores a build cache as BuildKit does: an index that lists layers and their configuration by themselves. */
export function seedCache(storage: Storage, repository: string, tags: readonly string[]): Manifest {
  const layer = seedLayer(storage, repository, `${repository} cache`, 3000);
  const config = Buffer.from('{"layers":[{"blob":"","parent":-1}],"records":[]}');
  const manifests = [
    { mediaType: TYPES.oci.layer, digest: layer.digest, size: layer.size },
    {
      mediaType: 'application/vnd.buildkit.cacheconfig.v0',
      digest: storage.putBlob(repository, bytesContent(config)),
      size: config.length,
    },
  ];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.oci.index, manifests }));
  storage.putManifest(repository, bytes, TYPES.oci.index, tags);
  return parseManifest(bytes, TYPES.oci.index, repository);
}

/** Stores an image that was made elsewhere, with all its parts. */
export function seedMade(storage: Storage, repository: string, tag: string | undefined, image: Image): void {
  for (const [digest, bytes] of image.blobs) storage.putBlob(repository, bytesContent(bytes), digest);
  for (const child of image.children) storage.putManifest(repository, child.bytes, child.mediaType);
  storage.putManifest(repository, image.bytes, image.mediaType, tag === undefined ? [] : [tag]);
}
