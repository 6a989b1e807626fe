import { expect, test } from 'vitest';
import {
  areSignaturesFine,
  type CheckedSignature,
  describeSignature,
} from '../../src/sync/check/check-signatures.ts';

const VERIFIED: CheckedSignature = {
  status: 'verified',
  identity: 'krel@example',
  issuer: 'https://accounts.google.com',
  form: 'cosign',
};
const UNVERIFIED: CheckedSignature = {
  status: 'unverified',
  reason: { code: 'SIGNATURE_MISSING', message: 'it has no signature' },
};
const EXEMPT: CheckedSignature = { status: 'exempt' };

test.each([
  ['verified, signed by krel@example (https://accounts.google.com)', VERIFIED],
  ['it has no signature', UNVERIFIED],
  ['unverified', { status: 'unverified' } as const],
  ['not verified, because the policy of its registry is "off"', EXEMPT],
])('%s', (words, signature) => {
  expect(describeSignature(signature)).toBe(words);
});

test.each([
  [true, true, [VERIFIED, EXEMPT, undefined]],
  [false, true, [VERIFIED, UNVERIFIED]],
  [true, false, [UNVERIFIED]],
])('signatures are fine is %s where they are required is %s', (fine, requiresSignatures, signatures) => {
  expect(
    areSignaturesFine({ requiresSignatures, tags: signatures.map((signature) => ({ signature })) }),
  ).toBe(fine);
});
