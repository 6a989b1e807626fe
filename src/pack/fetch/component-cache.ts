import { describeFailure } from '../../lib/failure.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { type Digest, digestHex } from '../../registry/oci/digest.ts';
import { digestFile } from '../../upstream/fetch/file-digest.ts';

/** A place that keeps files from run to run, such as @actions/tool-cache on a self-hosted runner. */
export interface FileKeeper {
  /** Returns the path of the file kept under a key. */
  find(key: string): Promise<string | undefined>;
  save(key: string, file: string): Promise<void>;
}

/** Returns the key under which a file is kept. It contains the digest, so that a key never has two contents. */
function componentKey(digest: Digest): string {
  return `keel-component-sha256-${digestHex(digest)}`;
}

/**
 * Components of earlier runs. Files are hashed again when they are found; if the cache fails, the file is downloaded.
 */
export class ComponentCache {
  readonly #keeper: FileKeeper;
  readonly #reporter: Reporter;

  constructor(keeper: FileKeeper, reporter: Reporter) {
    this.#keeper = keeper;
    this.#reporter = reporter;
  }

  /** Returns the path and size of the file with this digest; undefined if there is none, and for any sha512. */
  async find(
    digest: Digest,
    signal: AbortSignal,
  ): Promise<{ readonly file: string; readonly size: number } | undefined> {
    if (!digest.startsWith('sha256:')) return undefined;
    try {
      const file = await this.#keeper.find(componentKey(digest));
      if (file === undefined) return undefined;
      const found = await digestFile(file, digest, signal);
      if (found.compared === digest) return { file, size: found.size };
      this.#reporter.warning(
        `${file} was changed after packer stored it (its digest is now ${found.compared}), so packer does not use it`,
      );
    } catch (error) {
      signal.throwIfAborted();
      this.#reporter.warning(`cannot read the cache of components: ${describeFailure(error)}`);
    }
    return undefined;
  }

  async save(digest: Digest, file: string): Promise<void> {
    try {
      await this.#keeper.save(componentKey(digest), file);
    } catch (error) {
      this.#reporter.warning(`cannot store a component for the next run: ${describeFailure(error)}`);
    }
  }
}
