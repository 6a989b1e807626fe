/** Ways in which real registries differ from the specification; none is on unless a test asks for it. */
export interface Quirks {
  /** Every mount is answered with this status instead of 201 or 202. */
  readonly refuseMount?: number;
  /** A mount opens an upload (202) although the blob is in the repository it names. */
  readonly mountOpensUpload?: boolean;
  /** Mounting from the repository itself opens an upload although the blob is there. */
  readonly selfMountOpensUpload?: boolean;
  /** What a mount without `from` gets: an upload (distribution 2.8, the default), 201 if the blob is anywhere, or 400. */
  readonly anonymousMount?: 'upload' | 'mount' | 'refuse';
  readonly noDigestOnHead?: boolean;
  readonly refuseTagsList?: 401 | 403 | 404;
  /** Nexus: `"tags": null` for a repository without tags. */
  readonly nullTags?: boolean;
  /** Artifactory: digests among the tags. */
  readonly digestsAmongTags?: boolean;
  /** SWR: OCI indexes are not understood. */
  readonly refuseOciIndex?: boolean;
  /** zot as it comes: manifests and lists of Docker are refused with 415. */
  readonly refuseDocker?: boolean;
  /** ACR: manifests whose config has one of these media types are refused. */
  readonly refuseConfigTypes?: readonly string[];
  /** What an absent manifest is answered with instead of 404. */
  readonly absentManifest?: 401 | 403;
  /** Changing what a tag points at is refused with this status. */
  readonly immutableTags?: 400 | 409 | 412;
  /** Indexes whose children are missing are accepted. */
  readonly sparseIndexes?: boolean;
  /** Uploads and manifests for repositories that do not exist yet are answered 404. */
  readonly repositoriesMustExist?: boolean;
  /** Repository paths with more components are refused with 400. */
  readonly pathDepth?: number;
  /** Whether the address of an upload is told with scheme and host, or as a bare name beside the address asked for. */
  readonly uploadLocation?: 'relative' | 'absolute' | 'bare';
  /** ECR answers 201 to a chunk. */
  readonly chunkStatus?: 201 | 202;
  readonly chunkMinimumLength?: number;
  /** Chunks are refused with 405: only one whole PUT works. */
  readonly refuseChunks?: boolean;
  /** Uploads larger than this are refused with 413 when they come in one PUT. */
  readonly putLimit?: number;
  /** Larger chunks are refused: with 413, as proxies do, or with 416, as GHCR does. */
  readonly chunkLimit?: { readonly bytes: number; readonly status: 413 | 416 };
  /** Only this share of each chunk is kept, at least a byte, and the range in the answer says so. */
  readonly keptShare?: number;
  /** The answers to chunks and to questions do not tell where the upload stands. */
  readonly noUploadRange?: boolean;
  /** ECR: the range that is told stays where the first chunk ended. */
  readonly staleUploadRange?: boolean;
  /** What a PUT that completes an upload is answered with instead of 201. */
  readonly completedStatus?: 200 | 202 | 204;
  /** Quay writes `bytes=0-9` where others write `0-9`. */
  readonly rangePrefix?: 'bytes=';
  /**
   * What is left of an upload when a chunk is interrupted: all before the chunk (the default), also what arrived of it,
   * or nothing (distribution 2.8).
   */
  readonly interruptedUpload?: 'whole-chunks' | 'partial' | 'forgotten';
  /** distribution 2.8 looks at no Content-Range. */
  readonly ignoreContentRange?: boolean;
  /** Range requests for blobs are answered with the whole blob. */
  readonly ignoreRange?: boolean;
  /** Bodies without Content-Length are refused with 411. */
  readonly refuseUnknownLength?: boolean;
  /** More uploads at the same time are answered 429. */
  readonly uploadsAtOnce?: number;
  /** A token without the needed scope is answered 401 (the default) or 403. */
  readonly deniedStatus?: 401 | 403;
  /** What refers to a manifest is listed; without it only the tag that stands in for the list tells. */
  readonly referrersApi?: boolean;
  /** Docker Hub: so many manifests are given, then 429; HEAD is not counted. */
  readonly pullLimit?: number;
  /** SWR: whether a manifest is there can only be found out by fetching it. */
  readonly refuseManifestHead?: 405;
  /** Harbor behind nginx: longer requests for tokens are answered 414. */
  readonly tokenUrlLimit?: number;
  /** Google: only the ping tells how to log in, any other 401 says nothing. */
  readonly challengeOnPingOnly?: boolean;
  /** Google Artifact Registry: uploads have addresses outside of `/v2/`. */
  readonly uploadsElsewhere?: boolean;
  /** ECR: a list of more entries at a time is refused. */
  readonly pageLimit?: number;
  /** Deleting anything is answered 405. */
  readonly refuseDelete?: boolean;
}

/** The quirks of registries by name, where field reports agree on them. */
export const VENDOR_QUIRKS = {
  aliyun: {
    refuseTagsList: 401,
    refuseConfigTypes: ['application/vnd.oci.empty.v1+json', 'application/vnd.in-toto+json'],
    pathDepth: 2,
  },
  huawei: { refuseOciIndex: true, uploadsAtOnce: 20, refuseManifestHead: 405 },
  tencent: { pathDepth: 2 },
  harbor: { refuseMount: 401, deniedStatus: 401, tokenUrlLimit: 500 },
  ecr: {
    repositoriesMustExist: true,
    chunkStatus: 201,
    mountOpensUpload: true,
    pageLimit: 1000,
    staleUploadRange: true,
  },
  ghcr: {
    uploadLocation: 'relative',
    deniedStatus: 403,
    chunkLimit: { bytes: 4 * 1024 * 1024, status: 416 },
  },
  google: { uploadsElsewhere: true, challengeOnPingOnly: true },
  quay: { rangePrefix: 'bytes=', anonymousMount: 'refuse', pathDepth: 2 },
  dockerHub: { uploadLocation: 'absolute', pathDepth: 2, mountOpensUpload: true, pullLimit: 100 },
  artifactory: { absentManifest: 403, digestsAmongTags: true },
  nexus: { nullTags: true },
  zot: { refuseDocker: true, referrersApi: true },
  distribution2: { ignoreContentRange: true, interruptedUpload: 'forgotten' },
} as const satisfies Record<string, Quirks>;
