import { type Digest, digestAlgorithm, digestHex } from '../../registry/oci/digest.ts';

// What the tags of cosign (.sig, .att, .sbom) and of the referrers fallback (bare) have in common; the fallback cuts
// long digests off at 64 digits. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
const SIGNATURE_TAG = /^sha(?:256|512)-[0-9a-f]{64}/;

/** Returns whether a tag holds what belongs to another image: its signature, attestation, bill of materials. */
export function isSignatureTag(tag: string): boolean {
  return SIGNATURE_TAG.test(tag);
}

/** Gives, of the tags offered, those that hold signatures and the like of the manifest with that digest. */
export function signatureTagsOf<SomeTag extends string>(
  digest: Digest,
  offered: Iterable<SomeTag>,
): SomeTag[] {
  const start = `${digestAlgorithm(digest)}-${digestHex(digest).slice(0, 64)}`;
  return [...offered].filter((tag) => tag.startsWith(start) && isSignatureTag(tag));
}
