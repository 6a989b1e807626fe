import { readBody } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { digestAlgorithm, digestOfMany } from './oci/digest.ts';
import type { Descriptor } from './oci/manifest.ts';
import type { Repository } from './oci/reference.ts';
import type { Registry } from './registry.ts';

/** The largest blob that is read into memory. Configurations and signatures are smaller. */
const SMALL_BLOB_LIMIT = 16 * 1024 * 1024;

/** Returns the bytes of a small blob, after verifying its size and digest. Throws `DIGEST_MISMATCH`. */
export function readBlob(
  registry: Registry,
  repository: Repository,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  return registry.asMetadata(signal, async () => {
    const answer = await registry.openBlob(repository, descriptor, signal);
    const bytes = await readBody(answer, Math.min(descriptor.size, SMALL_BLOB_LIMIT));
    if (
      bytes !== undefined &&
      (await digestOfMany(bytes, digestAlgorithm(descriptor.digest))) === descriptor.digest
    ) {
      return bytes;
    }
    const about = registry.nameOf(repository, descriptor.digest);
    const message = 'its content does not have this digest';
    throw new HttpFailure({ code: 'DIGEST_MISMATCH', about, message, transient: true });
  });
}
