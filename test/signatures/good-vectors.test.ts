import { beforeAll, describe, expect, test } from 'vitest';
import { extensions } from '../support/sigstore/certificate.ts';
import { type BundleForm, REKOR_2 } from '../support/sigstore/signature.ts';
import { SIGNING_TIME_TEXT, signerExtensions, TestSigstore } from '../support/sigstore/sigstore.ts';
import type { HashName, KeyKind } from '../support/sigstore/test-key.ts';
import {
  type AlteredBundle,
  type Content,
  ENTRIES,
  MEDIA_TYPES,
  SIGNER,
  type VectorCase,
  verifyVector,
} from '../support/sigstore/vector.ts';

const WORKFLOW = 'https://github.com/a/b/.github/workflows/c.yaml@refs/tags/v1';

let sigstore: TestSigstore;
beforeAll(async () => {
  sigstore = await TestSigstore.start();
});

const PROOFS = {
  'promise and proof': {},
  'promise, proof and timestamp': { timestamps: [`${SIGNING_TIME_TEXT}Z`] },
  'proof and timestamp': REKOR_2,
  'promise only': { hasProof: false },
} satisfies Record<string, BundleForm>;

/** Each form of bundle with each kind of entry and of proof that clients write. */
function* forms(): Generator<[name: string, VectorCase]> {
  for (const content of ['message', 'statement'] as const) {
    for (const [version, mediaType] of Object.entries(MEDIA_TYPES)) {
      for (const entry of ENTRIES[content]) {
        for (const [proofs, proved] of Object.entries(PROOFS)) {
          const isOld = version === '0.1' || version === '0.2';
          // From 0.2 on a bundle has the proof; before, it has the promise.
          if (version === '0.1' ? proofs === 'proof and timestamp' : proofs === 'promise only') continue;
          const form = { mediaType, entry, ...proved, ...(isOld ? { chain: [] } : {}) };
          yield [`${version}, ${content}, ${entry}, ${proofs}`, { content, form }];
        }
      }
    }
  }
}

describe('a good signature is accepted', () => {
  test.each([...forms()])('as %s', async (_name, one) => {
    expect(await verifyVector(sigstore, one)).toEqual({ ...SIGNER, identityKind: 'email' });
  });

  test.each([
    ['none', `${SIGNING_TIME_TEXT}Z`],
    ...['0', '5', '50', '05', '500', '123', '1234', '123456', '123456789', '999999999'].map((digits) => [
      `"${digits}"`,
      `${SIGNING_TIME_TEXT}.${digits}Z`,
    ]),
  ])('with a timestamp whose fraction is %s', async (_what, time) => {
    expect(await verifyVector(sigstore, { form: { ...REKOR_2, timestamps: [time] } })).toMatchObject(SIGNER);
  });

  test.each<[key: KeyKind, content: Content, hash?: HashName]>([
    ['P-256', 'message'],
    ['P-256', 'statement'],
    ['P-384', 'message'],
    ['P-384', 'statement'],
    ['P-384', 'message', 'sha256'],
    ['P-384', 'statement', 'sha256'],
    ['P-521', 'message'],
    ['P-521', 'statement'],
    ['P-521', 'statement', 'sha256'],
    ['Ed25519', 'statement'],
    ['RSA-2048', 'message'],
    ['RSA-2048', 'statement'],
    ['RSA-3072', 'statement'],
    ['RSA-4096', 'statement'],
  ])('by a key of the kind %s: %s %s', async (key, content, hash) => {
    for (const entry of ENTRIES[content]) {
      // Rekor takes no Ed25519 where it has only the hash of what was signed.
      if (key === 'Ed25519' && entry.startsWith('hashedrekord')) continue;
      const one = {
        content,
        form: { ...REKOR_2, entry },
        signing: hash === undefined ? { key } : { key, hash },
      };
      expect(await verifyVector(sigstore, one)).toMatchObject(SIGNER);
    }
  });

  test.each<[key: KeyKind, hash: HashName]>([
    ['P-256', 'sha256'],
    ['P-384', 'sha256'],
    ['P-384', 'sha384'],
    ['RSA-2048', 'sha256'],
    ['RSA-4096', 'sha512'],
  ])('with a timestamp of a clock with a key of the kind %s, %s', async (key, hash) => {
    const clocked = await TestSigstore.start({ timestampCertificate: { key, hash } });
    expect(await verifyVector(clocked, { form: REKOR_2 })).toMatchObject(SIGNER);
  });

  test('in a log that signs with Ed25519', async () => {
    const modern = await TestSigstore.start({ logKey: 'Ed25519' });
    for (const content of ['message', 'statement'] as const) {
      expect(await verifyVector(modern, { content, form: REKOR_2 })).toMatchObject(SIGNER);
    }
  });

  test('from a log with witnesses, before and after its own signature, whatever they are called', async () => {
    const witness = '\u2014 (a+)+!~\u00e9 AAAAAAAA\n';
    const alter = (bundle: AlteredBundle) => {
      const [entry] = bundle.verificationMaterial.tlogEntries;
      const checkpoint = entry?.inclusionProof?.checkpoint;
      if (checkpoint === undefined) throw new Error('it has no checkpoint');
      const [note, signed] = checkpoint.envelope.split('\n\n');
      checkpoint.envelope = `${note}\n\n${witness.repeat(15)}${signed}${witness.repeat(15)}`;
    };
    expect(await verifyVector(sigstore, { form: REKOR_2, alter })).toMatchObject(SIGNER);
  });

  test('by a workflow', async () => {
    const found = { identity: WORKFLOW, issuer: SIGNER.issuer, identityKind: 'uri' };
    expect(await verifyVector(sigstore, { signing: { identity: WORKFLOW } })).toEqual(found);
  });

  test.each([
    ['the older', [extensions.oldIssuer(SIGNER.issuer)]],
    ['the newer', [extensions.issuer(SIGNER.issuer)]],
  ])('with %s form of who vouched', async (_what, vouched) => {
    const signing = { extensions: signerExtensions(SIGNER, { vouched }) };
    expect(await verifyVector(sigstore, { signing })).toMatchObject(SIGNER);
  });

  test('with the whole chain of its certificate, as sigstore-js 1 wrote it', async () => {
    const form = { mediaType: MEDIA_TYPES['0.1'], chain: [sigstore.rootCertificate] };
    expect(await verifyVector(sigstore, { form })).toMatchObject(SIGNER);
  });

  test('when it was made in the last second in which a log, an authority or a clock is to be believed', async () => {
    const until = { start: '2020-01-01T00:00:00Z', end: '2026-06-01T12:00:00Z' };
    const last = await TestSigstore.start({
      logValidity: until,
      certificateLogValidity: until,
      authorityValidity: until,
      timestampValidity: until,
    });
    expect(await verifyVector(last, { form: REKOR_2 })).toMatchObject(SIGNER);
  });
});
