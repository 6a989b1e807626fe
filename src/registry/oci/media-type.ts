/** The media types of manifests and indexes that can be copied, of OCI and of Docker. */
export const MEDIA_TYPE = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const;

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
 * Returns whether an index entry of a type is content such as a layer, and no manifest. Indexes of build caches list
 * their layers (https://github.com/moby/buildkit/blob/master/cache/remotecache/export.go).
 */
export function isBlobMediaType(type: string): boolean {
  return type !== '' && !/manifest|index/.test(type);
}
