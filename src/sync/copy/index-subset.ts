import { type Descriptor, type Index, type Manifest, parseManifest } from '../../registry/oci/manifest.ts';

/** The annotations of Docker's attestations: the image that they are about, and that they are attestations. */
export const ATTESTED_DIGEST = 'vnd.docker.reference.digest';
const REFERENCE_TYPE = 'vnd.docker.reference.type';

/** Returns whether an entry of an index is an attestation of another entry and cannot be run. */
export function isAttestation({ platform, annotations }: Descriptor): boolean {
  const isUnknown = platform?.os === 'unknown' && platform.architecture === 'unknown';
  return isUnknown || annotations?.[REFERENCE_TYPE] === 'attestation-manifest';
}

/** Returns an index with only some of its entries, otherwise unchanged (OCI image-index.md). */
export function keepEntries(index: Index, kept: ReadonlySet<Descriptor>, about: string): Manifest {
  if (kept.size === index.manifests.length) return index;
  const body: { manifests: unknown[] } = JSON.parse(index.bytes.toString('utf8'));
  const manifests = body.manifests.filter((_, position) => {
    const entry = index.manifests[position];
    return entry !== undefined && kept.has(entry);
  });
  const bytes = Buffer.from(JSON.stringify({ ...body, manifests }));
  return parseManifest(bytes, index.mediaType, about);
}
