import { type Digest, digestAlgorithm, digestHex } from '../../registry/oci/digest.ts';

// The common part of cosign's tags (.sig, .att, .sbom) and of the referrers tag schema, which cuts long digests to 64
// digits. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
const SIGNATURE_TAG = /^sha(?:256|512)-[0-9a-f]{64}/;

/** Returns whether a tag holds the signature, attestation or bill of materials of another image. */
export function isSignatureTag(tag: string): boolean {
  return SIGNATURE_TAG.test(tag);
}

/** Returns whether a tag contains the list of referrers of another image, and so stands for the referrers API. */
export function isReferrersTag(tag: string): boolean {
  return SIGNATURE_TAG.exec(tag)?.[0] === tag;
}

/** Returns the offered tags that hold signatures, attestations or bills of materials of a manifest. */
export function signatureTagsOf<SomeTag extends string>(
  digest: Digest,
  offered: Iterable<SomeTag>,
): SomeTag[] {
  const start = `${digestAlgorithm(digest)}-${digestHex(digest).slice(0, 64)}`;
  return [...offered].filter((tag) => tag.startsWith(start) && isSignatureTag(tag));
}
