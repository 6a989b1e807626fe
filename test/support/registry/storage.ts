import { type Digest, digestOf, isDigest } from '../../../src/registry/oci/digest.ts';
import type { ManifestMediaType } from '../../../src/registry/oci/media-type.ts';
import { type Content, contentDigest, contentSize } from './content.ts';

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** Milliseconds since 1970, as the Google listing tells it. */
  readonly uploaded: number;
}

export interface StoredRepository {
  readonly manifests: Map<Digest, StoredManifest>;
  readonly tags: Map<string, Digest>;
  readonly blobs: Set<Digest>;
}

/** What a test registry holds. Tests may read and change it directly, without a request. */
export class Storage {
  readonly repositories = new Map<string, StoredRepository>();
  readonly contents = new Map<Digest, Content>();

  /** Returns a repository, and creates it where it is missing. */
  repository(name: string): StoredRepository {
    const known = this.repositories.get(name);
    if (known !== undefined) return known;
    const created: StoredRepository = { manifests: new Map(), tags: new Map(), blobs: new Set() };
    this.repositories.set(name, created);
    return created;
  }

  /** Stores a blob in a repository. Content known elsewhere is kept once. */
  putBlob(repository: string, content: Content, digest: Digest = contentDigest(content)): Digest {
    const known = this.contents.get(digest);
    const isDamaged = known !== undefined && contentSize(known) !== contentSize(content);
    if (known === undefined || known.kind === 'discarded' || isDamaged) this.contents.set(digest, content);
    this.repository(repository).blobs.add(digest);
    return digest;
  }

  /** Returns a blob's content when this repository holds it. */
  blob(repository: string, digest: Digest): Content | undefined {
    return this.repositories.get(repository)?.blobs.has(digest) === true
      ? this.contents.get(digest)
      : undefined;
  }

  /** Stores a manifest as it is, without checks, and points tags at it. */
  putManifest(
    repository: string,
    bytes: Buffer,
    mediaType: ManifestMediaType | string,
    tags: readonly string[] = [],
    uploaded: number = Date.UTC(2025, 0, 1),
    digest: Digest = digestOf(bytes),
  ): Digest {
    const { manifests, tags: known } = this.repository(repository);
    if (manifests.get(digest)?.bytes.equals(bytes) !== true)
      manifests.set(digest, { digest, mediaType, bytes, uploaded });
    for (const tag of tags) known.set(tag, digest);
    return digest;
  }

  /** Returns a manifest by tag or digest. */
  manifest(repository: string, reference: string): StoredManifest | undefined {
    const stored = this.repositories.get(repository);
    if (stored === undefined) return undefined;
    const tagged = stored.tags.get(reference);
    if (tagged !== undefined) return stored.manifests.get(tagged);
    return isDigest(reference) ? stored.manifests.get(reference) : undefined;
  }

  /** Removes a tag, as someone at the destination may do between two runs. */
  deleteTag(repository: string, tag: string): boolean {
    return this.repositories.get(repository)?.tags.delete(tag) ?? false;
  }

  /** Removes a manifest and its tags. */
  deleteManifest(repository: string, digest: Digest): boolean {
    const stored = this.repositories.get(repository);
    if (stored === undefined) return false;
    for (const [tag, target] of stored.tags) if (target === digest) stored.tags.delete(tag);
    return stored.manifests.delete(digest);
  }

  /** Removes a blob from one repository, as a garbage collection does. */
  deleteBlob(repository: string, digest: Digest): boolean {
    return this.repositories.get(repository)?.blobs.delete(digest) ?? false;
  }
}
