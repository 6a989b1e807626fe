import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Descriptor } from '../../registry/oci/manifest.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ContentFolder } from './content-folder.ts';

/** One blob, and where it is. */
export interface WantedBlob {
  readonly registry: Registry;
  readonly repository: Repository;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /** The image it belongs to, for messages. */
  readonly about: string;
  readonly signal: AbortSignal;
  /** Told the bytes as they come; only the first who asks for a blob is told. */
  readonly onBytes?: (count: number) => void;
}

/** Brings blobs into a folder, each once a run, on the slots that a registry has for transfers. */
export class BlobFetch {
  readonly content: ContentFolder;
  readonly #stored = new Map<Digest, Promise<string>>();

  constructor(content: ContentFolder) {
    this.content = content;
  }

  /** Returns the file of a blob once it is there and verified. Throws what `ContentFolder.store` throws. */
  store(blob: WantedBlob): Promise<string> {
    const { digest } = blob.descriptor;
    // Who waits for a blob that is under way holds no slot.
    const known = this.#stored.get(digest);
    if (known !== undefined) return known;
    const stored = this.#transfer(blob);
    this.#stored.set(digest, stored);
    stored.catch(() => this.#stored.delete(digest));
    return stored;
  }

  async #transfer({ registry, repository, descriptor, about, signal, onBytes }: WantedBlob): Promise<string> {
    const limiter = registry.limits.transfers;
    const giveBack = await ConcurrencyLimiter.take([limiter], signal);
    try {
      const file = await this.content.store({
        descriptor,
        about,
        signal,
        open: (range, opened) => registry.openBlob(repository, descriptor, opened, range),
        ...(onBytes === undefined ? {} : { onBytes }),
      });
      limiter.succeeded();
      return file;
    } finally {
      giveBack();
    }
  }
}
