import { Readable } from 'node:stream';
import type { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { Repository } from '../oci/reference.ts';
import type { ByteRange, Registry } from '../registry.ts';

/** Where the bytes of a blob come from. */
export interface BlobSource {
  /** The `host/repository` or file, for failures. */
  readonly about: string;
  /** The repository, if the source is one. Other repositories of the same registry can mount the blob from it. */
  readonly origin?: { readonly registry: Registry; readonly repository: Repository } | undefined;
  /** Taken during a transfer, together with that of the destination. */
  readonly limiter?: ConcurrencyLimiter | undefined;
  /** Resolves when its host accepts requests again. Awaited before slots are taken. */
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
      try {
        return (await registry.openBlob(repository, descriptor, signal, range)).body;
      } catch (error) {
        if (range === undefined || !saysNoPart(error)) throw error;
        return partOf((await registry.openBlob(repository, descriptor, signal)).body, range);
      }
    },
  };
}

/**
 * The whole came instead of a part, the part is compressed, or the range is refused or not understood. Refusals of access
 * are not among these statuses: they are not about the part, and the whole would be refused too.
 */
const NO_PARTS: ReadonlySet<number> = new Set([200, 206, 400, 405, 416, 501]);

/** Returns whether an answer means that the registry cannot send this part of a blob. */
export function saysNoPart(error: unknown): boolean {
  return error instanceof HttpFailure && error.status !== undefined && NO_PARTS.has(error.status);
}

function partOf(whole: Readable, range: ByteRange): Readable {
  const part = Readable.from(bytesWithin(whole, range), { objectMode: false });
  return part.once('close', () => whole.destroy());
}

async function* bytesWithin(whole: Readable, { start, end }: ByteRange): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const bytes of whole) {
    if (!Buffer.isBuffer(bytes)) continue;
    const wanted = bytes.subarray(Math.max(0, start - position), Math.max(0, end - position));
    position += bytes.length;
    if (wanted.length > 0) yield wanted;
    if (position >= end) return;
  }
}
