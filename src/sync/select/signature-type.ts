/**
 * Types of artifacts that sign, attest or describe an image: bundles of Sigstore, cosign's own, Notation's, statements of
 * in-toto, bills of materials and VEX. Other things that refer to images, such as indexes for lazy pulling, are none.
 */
const SIGNATURE_TYPES =
  /^(?:application\/vnd\.(?:dev\.(?:sigstore|cosign|cosignproject)\.|cncf\.notary\.|in-toto|cyclonedx|syft|openvex)|application\/(?:spdx|vnd\.spdx|dsse|vnd\.dsse|cyclonedx)|text\/spdx)/i;

/** Returns whether an artifact is a signature, attestation or bill of materials by its type, or may be one without it. */
export function isSignatureType(artifactType: string | undefined): boolean {
  return artifactType === undefined || artifactType === '' || SIGNATURE_TYPES.test(artifactType);
}
