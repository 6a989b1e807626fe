import { beforeAll, describe, expect, test } from 'vitest';
import { der } from '../support/sigstore/der-writer.ts';
import { REKOR_2 } from '../support/sigstore/signature.ts';
import { SIGNING_TIME, TestSigstore } from '../support/sigstore/sigstore.ts';
import { type AlteredBundle, refusal, type VectorCase } from '../support/sigstore/vector.ts';

let sigstore: TestSigstore;
beforeAll(async () => {
  sigstore = await TestSigstore.start();
});

function base64(length: number): string {
  return Buffer.alloc(length, 1).toString('base64');
}

function nulls(length: number): string {
  return der(0x30, Buffer.alloc(length, Buffer.from([5, 0]))).toString('base64');
}

function entryOf({ verificationMaterial }: AlteredBundle) {
  const [entry] = verificationMaterial.tlogEntries;
  if (entry?.inclusionProof === undefined) throw new Error('it has no entry with a proof');
  return { ...entry, entry, proof: entry.inclusionProof };
}

const LARGE = 'a part of it is larger than in any real bundle: ';

describe('a part of a bundle is refused before it is read', () => {
  const timestamp = (length: number, make = base64): VectorCase => ({
    form: { ...REKOR_2 },
    alter: ({ verificationMaterial: { timestampVerificationData } }) => {
      timestampVerificationData.rfc3161Timestamps = [{ signedTimestamp: make(length) }];
    },
  });
  const certificate = (length: number, make = base64): VectorCase => ({
    alter: ({ verificationMaterial }) => {
      verificationMaterial.certificate = { rawBytes: make(length) };
    },
  });
  test.each<[what: string, reason: string, one: VectorCase]>([
    ['a certificate of 20 KiB', `${LARGE}verificationMaterial.certificate.rawBytes`, certificate(20_480)],
    ['a certificate of 8,000 NULLs', 'its certificate is malformed, or larger', certificate(16_000, nulls)],
    [
      'a timestamp of 20 KiB',
      `${LARGE}verificationMaterial.timestampVerificationData.rfc3161Timestamps.signedTimestamp`,
      timestamp(20_480),
    ],
    ['a timestamp of 8,000 NULLs', 'its timestamp is malformed, or larger', timestamp(16_000, nulls)],
    [
      'nine timestamps',
      `${LARGE}verificationMaterial.timestampVerificationData.rfc3161Timestamps`,
      { form: { ...REKOR_2, timestamps: Array.from({ length: 9 }, () => SIGNING_TIME) } },
    ],
    [
      'nine entries',
      `${LARGE}verificationMaterial.tlogEntries`,
      {
        alter: ({ verificationMaterial }) => {
          const [entry] = verificationMaterial.tlogEntries;
          if (entry) verificationMaterial.tlogEntries = Array.from({ length: 9 }, () => entry);
        },
      },
    ],
    [
      'an entry of 70 KiB',
      `${LARGE}verificationMaterial.tlogEntries.canonicalizedBody`,
      { alter: (bundle) => Object.assign(entryOf(bundle).entry, { canonicalizedBody: base64(71_680) }) },
    ],
    [
      '65 hashes',
      `${LARGE}verificationMaterial.tlogEntries.inclusionProof.hashes`,
      {
        alter: (bundle) => {
          entryOf(bundle).proof.hashes = Array.from({ length: 65 }, () => base64(32));
        },
      },
    ],
    [
      'nine signatures of a statement',
      `${LARGE}dsseEnvelope.signatures`,
      {
        content: 'statement',
        alter: ({ dsseEnvelope }) => {
          const [signature] = dsseEnvelope.signatures;
          if (signature) dsseEnvelope.signatures = Array.from({ length: 9 }, () => signature);
        },
      },
    ],
    [
      'a signature of 5 KiB',
      `${LARGE}messageSignature.signature`,
      { alter: ({ messageSignature }) => Object.assign(messageSignature, { signature: base64(5120) }) },
    ],
    [
      'a chain of nine certificates',
      `${LARGE}verificationMaterial.x509CertificateChain.certificates`,
      { form: { chain: Array.from({ length: 8 }, () => Buffer.alloc(9)) } },
    ],
  ])('%s', async (_what, reason, one) => {
    expect(await refusal(sigstore, one)).toContain(reason);
  });

  const MANY = 'its log has more witnesses than any real one';
  const signedBy = (text: string) => `rekor.example\n1\nabc=\n\n${text}`;
  test.each<[what: string, checkpoint: string, reason: string]>([
    ['with 33 names', signedBy('\u2014 rekor.example abc\n'.repeat(33)), MANY],
    ['with 32 names', signedBy('\u2014 rekor.example abc\n'.repeat(32)), 'its proof is for another'],
    [
      'with 16,385 letters',
      signedBy('a'.repeat(16_385)),
      `${LARGE}verificationMaterial.tlogEntries.inclusionProof.checkpoint.envelope`,
    ],
  ])('a checkpoint %s', async (_what, envelope, reason) => {
    const alter = (bundle: AlteredBundle) => {
      entryOf(bundle).proof.checkpoint = { envelope };
    };
    expect(await refusal(sigstore, { alter })).toContain(reason);
  });
});
