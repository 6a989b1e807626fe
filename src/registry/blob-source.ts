import type { Readable } from 'node:stream';
import type { ConcurrencyLimiter } from '../lib/concurrency-limiter.ts';
import type { Descriptor } from './oci/manifest.ts';
import type { Repository } from './oci/reference.ts';
import type { ByteRange, Registry } from './registry.ts';

/** Where the bytes of a blob come from. */
export interface BlobSource {
  /** The `host/repository` or file, for failures. */
  readonly about: string;
  /** The repository, if the source is one. Other repositories of the same registry can mount the blob from it. */
  readonly origin?: { readonly registry: Registry; readonly repository: Repository } | undefined;
  /** Taken during a transfer, together with that of the destination. */
  readonly limiter?: ConcurrencyLimiter | undefined;
  /** Resolves when its host takes requests again. Awaited before slots are taken. */
  readonly patience?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Returns the bytes of the blob, or of a range of it. */
  open(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal,
    range?: ByteRange,
  ): Promise<Readable>;
}

/** Returns a source that reads blobs from a repository. */
export function registrySource(registry: Registry, repository: Repository): BlobSource {
  return {
    about: `${registry.host}/${repository}`,
    origin: { registry, repository },
    limiter: registry.limits.transfers,
    patience: (signal) => registry.limits.patience(signal),
    open: async (descriptor, signal, range) => {
      await registry.ping();
      return (await registry.openBlob(repository, descriptor, signal, range)).body;
    },
  };
}
