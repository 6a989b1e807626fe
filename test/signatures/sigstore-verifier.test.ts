import { beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import type { Candidate } from '../../src/signatures/candidate.ts';
import { readBundle } from '../../src/signatures/sigstore-bundle.ts';
import { SigstoreVerifier } from '../../src/signatures/sigstore-verifier.ts';
import { messageBundle, statementBundle } from '../support/sigstore/signature.ts';
import { TestSigstore } from '../support/sigstore/sigstore.ts';

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
    expect(verifier.verify(candidate(bundle))).toEqual(SIGNER);
  }
});

test('a signature of other bytes does not hold', async () => {
  const read = candidate(await messageBundle(sigstore, MANIFEST, SIGNER));
  expect(() => verifier.verify({ ...read, artifact: Buffer.from('other') })).toThrow();
});

test('a bundle that was read as a statement may not sign bytes, nor the other way round', async () => {
  const message = candidate(await messageBundle(sigstore, MANIFEST, SIGNER));
  const statement = candidate(await statementBundle(sigstore, DIGEST, SIGNER));
  const otherwise = 'it signs something else than it seems to';
  expect(() => verifier.verify({ ...message, artifact: undefined })).toThrow(otherwise);
  expect(() => verifier.verify({ ...statement, artifact: MANIFEST })).toThrow(otherwise);
});

describe('what would keep the verification busy is refused', () => {
  const signedBy = (text: string) => `rekor.example - 1\n1\nabc\n\n${text}`;

  test.each<[what: string, checkpoint: string, refused: boolean]>([
    ['a name that is an expression', signedBy('\u2014 (a+)+! abc\n'), true],
    ['a name of 201 letters', signedBy(`\u2014 ${'a'.repeat(201)} abc\n`), true],
    ['nine names', signedBy('\u2014 rekor.example abc\n'.repeat(9)), true],
    ['16385 letters', signedBy('a'.repeat(16_385)), true],
    ['eight names', signedBy('\u2014 rekor.example:443/log abc\n'.repeat(8)), false],
  ])('a checkpoint with %s', async (_what, envelope, refused) => {
    const bundle = JSON.parse(JSON.stringify(await messageBundle(sigstore, MANIFEST, SIGNER)));
    bundle.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint = { envelope };
    const verify = () => verifier.verify(candidate(bundle));
    if (refused) expect(verify).toThrow('it has a checkpoint that no log makes');
    else expect(verify).not.toThrow('it has a checkpoint that no log makes');
  });

  test.each([
    [8, false],
    [9, true],
  ])('%i timestamps: %s', async (count, refused) => {
    const bundle = JSON.parse(JSON.stringify(await messageBundle(sigstore, MANIFEST, SIGNER)));
    const signedTimestamp = await sigstore.timestamp(bundle.messageSignature.signature);
    const rfc3161Timestamps = Array.from({ length: count }, () => ({ signedTimestamp }));
    bundle.verificationMaterial.timestampVerificationData = { rfc3161Timestamps };
    // Fewer get as far as the library, which wants each only once.
    const reason = refused ? 'it has more proofs than any real one' : 'duplicate timestamp';
    expect(() => verifier.verify(candidate(bundle))).toThrow(reason);
  });
});

test.each([['me@example.com\n'], ['me\u00a0too@example.com'], ['m\u200be@example.com']])(
  'a certificate that names %j is not believed',
  async (identity) => {
    const bundle = await messageBundle(sigstore, MANIFEST, { ...SIGNER, identity });
    expect(() => verifier.verify(candidate(bundle))).toThrow(
      'it names somebody with characters that nobody sees',
    );
  },
);
