import { expect, it } from 'vitest';
import { isSignatureType } from '../../src/sync/select/signature-type.ts';

it.each<[string | undefined, boolean]>([
  ['application/vnd.dev.sigstore.bundle.v0.3+json', true],
  ['application/vnd.dev.cosign.artifact.sig.v1+json', true],
  ['application/vnd.dev.cosignproject.cosign.v1', true],
  ['application/vnd.cncf.notary.signature', true],
  ['application/vnd.in-toto+json', true],
  ['application/spdx+json', true],
  ['text/spdx+json', true],
  ['application/vnd.cyclonedx+json', true],
  ['application/vnd.openvex+json', true],
  // Older registries do not tell it.
  [undefined, true],
  ['', true],
  ['application/vnd.amazon.soci.index.v2+json', false],
  ['application/vnd.cncf.helm.config.v1+json', false],
  ['application/vnd.oci.image.config.v1+json', false],
])('%j signs, attests or describes an image: %s', (artifactType, isOne) => {
  expect(isSignatureType(artifactType)).toBe(isOne);
});
