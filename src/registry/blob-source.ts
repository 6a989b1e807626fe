import type { Readable } from 'node:stream';
import type { ConcurrencyLimiter } from '../lib/concurrency-limiter.ts';
import type { Descriptor } from './oci/manifest.ts';
import type { Repository } from './oci/reference.ts';
import type { ByteRange, Registry } from './registry.ts';

/** Where the bytes of a blob come from. */
export interface BlobSource {
  /** For errors: `host/repository`, or a file. */
  readonly about: string;
  /** Where it stands at a registry, whose other repositories can mount it from there. */
  readonly origin?: { readonly registry: Registry; readonly repository: Repository } | undefined;
  /** Taken together with the destination's while bytes flow. */
  readonly limiter?: ConcurrencyLimiter | undefined;
  /** Resolves when its host is not asking for patience; awaited before slots are taken. */
  readonly patience?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Returns the blob, whole or a range of it. */
  open(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal,
    range?: ByteRange,
  ): Promise<Readable>;
}

/** Returns the source that reads blobs from a repository of a registry. */
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
