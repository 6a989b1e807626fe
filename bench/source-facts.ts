import type { Digest } from '../src/registry/oci/digest.ts';
import type { Image } from '../test/support/images/image.ts';

/** What repositories hold, in the numbers that a mirror's cost is made of. */
export class SourceFacts {
  readonly #blobs = new Map<Digest, number>();
  #repositories = 0;
  #tags = 0;
  #manifests = 0;
  #placements = 0;

  /** Counts one repository in, by the images of its tags. */
  add(images: readonly Image[]): void {
    const own = new Map(images.flatMap((image) => [...image.blobs]));
    for (const [digest, bytes] of own) this.#blobs.set(digest, bytes.length);
    const manifests = images.flatMap((image) => [image, ...image.children].map(({ digest }) => digest));
    this.#repositories += 1;
    this.#tags += images.length;
    this.#manifests += new Set(manifests).size;
    this.#placements += own.size;
  }

  /** Returns what was counted: `manifests` and `placements` each once a repository, `blobs` and `blobBytes` once in all. */
  get counts(): {
    readonly repositories: number;
    readonly tags: number;
    readonly manifests: number;
    readonly blobs: number;
    readonly blobBytes: number;
    readonly placements: number;
  } {
    return {
      repositories: this.#repositories,
      tags: this.#tags,
      manifests: this.#manifests,
      blobs: this.#blobs.size,
      blobBytes: [...this.#blobs.values()].reduce((sum, size) => sum + size, 0),
      placements: this.#placements,
    };
  }
}
