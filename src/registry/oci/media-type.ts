/** The media types of manifests and indexes that are copied, in both families. */
export const MEDIA_TYPE = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const;

export type ManifestMediaType = (typeof MEDIA_TYPE)[keyof typeof MEDIA_TYPE];

const MANIFEST_MEDIA_TYPES: ReadonlySet<string> = new Set(Object.values(MEDIA_TYPE));

/**
 * All four types, always: without the OCI ones some registries answer 404, without any they serve a converted
 * schema 1 manifest with another digest.
 */
export const MANIFEST_ACCEPT = [...MANIFEST_MEDIA_TYPES].join(', ');

/** Returns whether a media type is one of the four that can be copied. */
export function isManifestMediaType(text: string): text is ManifestMediaType {
  return MANIFEST_MEDIA_TYPES.has(text);
}

/** Returns whether a media type is an index: a list of manifests, one a platform. */
export function isIndexMediaType(type: ManifestMediaType): boolean {
  return type === MEDIA_TYPE.ociIndex || type === MEDIA_TYPE.dockerList;
}
