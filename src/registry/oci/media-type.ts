/** The media types of manifests and indexes that can be copied, of OCI and of Docker. */
export const MEDIA_TYPE = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const;

/** The media types of what manifests list, of OCI and of Docker. Those of layers get a suffix for their compression. */
export const CONTENT_TYPE = {
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociForeignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
} as const;

/**
 * Layer types of OCI and their counterparts of Docker, for the same bytes (OCI image-spec, media-types.md,
 * "Compatibility").
 */
const LAYER_TYPES: readonly (readonly [oci: string, docker: string])[] = [
  [CONTENT_TYPE.ociLayer, CONTENT_TYPE.dockerLayer],
  [`${CONTENT_TYPE.ociLayer}+gzip`, `${CONTENT_TYPE.dockerLayer}.gzip`],
  [CONTENT_TYPE.ociForeignLayer, CONTENT_TYPE.dockerForeignLayer],
  [`${CONTENT_TYPE.ociForeignLayer}+gzip`, `${CONTENT_TYPE.dockerForeignLayer}.gzip`],
];

/** The layer types of Docker, by those of OCI. */
export const DOCKER_LAYER_TYPES: ReadonlyMap<string, string> = new Map(LAYER_TYPES);

/** The layer types of OCI, by those of Docker. */
export const OCI_LAYER_TYPES: ReadonlyMap<string, string> = new Map([
  ...LAYER_TYPES.map(([oci, docker]) => [docker, oci] as const),
  // Some tools write it into Docker's manifests.
  [`${CONTENT_TYPE.dockerLayer}.zstd`, `${CONTENT_TYPE.ociLayer}+zstd`],
]);

export type ManifestMediaType = (typeof MEDIA_TYPE)[keyof typeof MEDIA_TYPE];

const MANIFEST_MEDIA_TYPES: ReadonlySet<string> = new Set(Object.values(MEDIA_TYPE));

/**
 * The `Accept` header for manifests. It always has all four types: without those of OCI some registries answer 404, and
 * without any they convert the manifest to schema 1, which has another digest.
 */
export const MANIFEST_ACCEPT = [...MANIFEST_MEDIA_TYPES].join(', ');

/** Returns whether a media type is one of the four that can be copied. */
export function isManifestMediaType(text: string): text is ManifestMediaType {
  return MANIFEST_MEDIA_TYPES.has(text);
}

/** Returns whether a media type is that of an index: a list of manifests, one for each platform. */
export function isIndexMediaType(type: ManifestMediaType): boolean {
  return type === MEDIA_TYPE.ociIndex || type === MEDIA_TYPE.dockerList;
}

/**
 * Returns whether a manifest may be an index, by the type that a registry reports for it. Some report
 * `application/json`, or nothing.
 */
export function mayBeIndexType(told: string): boolean {
  return told.includes('manifest.list') || !told.includes('manifest');
}

/**
 * Returns whether an index entry of a type is content such as a layer, and no manifest. Indexes of build caches list
 * their layers (https://github.com/moby/buildkit/blob/master/cache/remotecache/export.go).
 */
export function isBlobMediaType(type: string): boolean {
  return type !== '' && !/manifest|index/.test(type);
}
