import { z } from 'zod';
import { readJson } from '../../lib/json.ts';
import { listOf } from '../../lib/zero-value.ts';
import { type Descriptor, type Index, type Manifest, parseManifest } from '../../registry/oci/manifest.ts';
import { isBlobMediaType } from '../../registry/oci/media-type.ts';

/** The annotations of Docker's attestations: the image that they are about, and that they are attestations. */
export const ATTESTED_DIGEST = 'vnd.docker.reference.digest';
const REFERENCE_TYPE = 'vnd.docker.reference.type';

/** Returns whether an entry of an index is an attestation of another entry and cannot be run. */
export function isAttestation({ platform, annotations }: Descriptor): boolean {
  const isUnknown = platform?.os === 'unknown' && platform.architecture === 'unknown';
  return isUnknown || annotations?.[REFERENCE_TYPE] === 'attestation-manifest';
}

/** Returns whether an index lists layers or similar blobs directly, as the indexes of build caches do. */
export function listsBlobs({ manifests }: Index): boolean {
  return manifests.some(({ mediaType }) => isBlobMediaType(mediaType));
}

const listShape = z.object({
  manifests: listOf(z.custom<object>((entry) => typeof entry === 'object' && entry !== null)),
});

/** Returns all fields of an index as its bytes have them, with its entries in the same order as `manifests`. */
export function writtenIndex({ bytes }: Index): { readonly manifests: readonly object[] } {
  const json = readJson(bytes);
  const { manifests } = listShape.parse(json);
  const fields: object = Object(json);
  return { ...fields, manifests };
}

/** Returns an index with only some of its entries, otherwise unchanged (OCI image-index.md). */
export function keepEntries(index: Index, kept: ReadonlySet<Descriptor>, about: string): Manifest {
  return rewriteEntries(index, new Map([...kept].map((entry) => [entry, entry])), about);
}

/** Returns an index with only some of its entries, each with the digest and size that are given for it. */
export function rewriteEntries(
  index: Index,
  kept: ReadonlyMap<Descriptor, Pick<Descriptor, 'digest' | 'size'>>,
  about: string,
): Manifest {
  const isUnchanged = [...kept].every(([entry, { digest }]) => entry.digest === digest);
  if (isUnchanged && kept.size === index.manifests.length) return index;
  const body = writtenIndex(index);
  const manifests = body.manifests.flatMap((listed, position) => {
    const entry = index.manifests[position];
    const content = entry === undefined ? undefined : kept.get(entry);
    return content === undefined ? [] : [{ ...listed, digest: content.digest, size: content.size }];
  });
  const bytes = Buffer.from(JSON.stringify({ ...body, manifests }));
  return parseManifest(bytes, index.mediaType, about);
}
