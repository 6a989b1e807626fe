import { beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import type { Candidate } from '../../src/signatures/candidate.ts';
import { readBundle } from '../../src/signatures/sigstore-bundle.ts';
import { SigstoreVerifier } from '../../src/signatures/sigstore-verifier.ts';
import { messageBundle, statementBundle } from '../support/sigstore/signature.ts';
import { type SigstoreDetails, TestSigstore } from '../support/sigstore/sigstore.ts';

const MANIFEST = Buffer.from('{"schemaVersion":2}');
const DIGEST = digestOf(MANIFEST);
const SIGNER = { identity: 'me@example.com', issuer: 'https://accounts.example.com' };

let sigstore: TestSigstore;
let verifier: SigstoreVerifier;
beforeAll(async () => {
  sigstore = await TestSigstore.start();
  verifier = new SigstoreVerifier(sigstore.trustedRoot);
});

function candidate(bundle: object): Candidate {
  const read = readBundle(Buffer.from(JSON.stringify(bundle)), DIGEST, MANIFEST);
  if (read.kind === 'unfit') throw new Error(read.reason);
  return read;
}

describe('a trusted root', () => {
  test.each(['tlogs', 'ctlogs', 'certificateAuthorities'])('without %s is refused', (part) => {
    expect(() => new SigstoreVerifier({ ...sigstore.trustedRoot, [part]: [] })).toThrow(
      'it has no certificate authority, no log of certificates or no log of signatures',
    );
  });

  test.each<[log: string, details: SigstoreDetails]>([
    ['of signatures', { logValidity: {} }],
    ['of certificates', { certificateLogValidity: { end: '2040-01-01T00:00:00Z' } }],
  ])('with a log %s that has no time from which it is to be believed is refused', async (_log, details) => {
    const open = await TestSigstore.start(details);
    expect(() => new SigstoreVerifier(open.trustedRoot)).toThrow(
      'it does not contain the time from which to trust a log',
    );
  });

  test('without an authority for timestamps is enough', () => {
    const root = { ...sigstore.trustedRoot, timestampAuthorities: [] };
    expect(() => new SigstoreVerifier(root)).not.toThrow();
  });
});

test('a signature of bytes and a statement name who made them', async () => {
  for (const bundle of [
    await messageBundle(sigstore, MANIFEST, SIGNER),
    await statementBundle(sigstore, DIGEST, SIGNER),
  ]) {
    expect(verifier.verify(candidate(bundle))).toEqual({ ...SIGNER, identityKind: 'email' });
  }
});

test('a signature of other bytes does not hold', async () => {
  const read = candidate(await messageBundle(sigstore, MANIFEST, SIGNER));
  expect(() => verifier.verify({ ...read, artifact: Buffer.from('other') })).toThrow();
});

test('a bundle that was read as a statement may not sign bytes, nor the other way round', async () => {
  const message = candidate(await messageBundle(sigstore, MANIFEST, SIGNER));
  const statement = candidate(await statementBundle(sigstore, DIGEST, SIGNER));
  const otherwise = 'it can be read as two different signatures';
  expect(() => verifier.verify({ ...message, artifact: undefined })).toThrow(otherwise);
  expect(() => verifier.verify({ ...statement, artifact: MANIFEST })).toThrow(otherwise);
});
