import { beforeAll, describe, expect, test } from 'vitest';
import { USES } from '../support/sigstore/certificate.ts';
import { type BundleForm, REKOR_2 } from '../support/sigstore/signature.ts';
import { SIGNING_TIME_TEXT, type SigstoreDetails, TestSigstore } from '../support/sigstore/sigstore.ts';
import {
  type AlteredBundle,
  type AlteredProof,
  ENTRIES,
  MEDIA_TYPES,
  refusal,
  type VectorCase,
} from '../support/sigstore/vector.ts';

let sigstore: TestSigstore;
let stranger: TestSigstore;
beforeAll(async () => {
  [sigstore, stranger] = await Promise.all([TestSigstore.start(), TestSigstore.start()]);
});

function entryOf(bundle: AlteredBundle): AlteredBundle['verificationMaterial']['tlogEntries'][number] {
  const [entry] = bundle.verificationMaterial.tlogEntries;
  if (entry === undefined) throw new Error('it has no entry');
  return entry;
}

function proofOf(bundle: AlteredBundle): AlteredProof {
  const { inclusionProof } = entryOf(bundle);
  if (inclusionProof === undefined) throw new Error('it has no proof');
  return inclusionProof;
}

/** Puts another proof of the same body into an entry. */
function prove(bundle: AlteredBundle, log: TestSigstore, details: { size?: number; index?: number }): void {
  const body = Buffer.from(entryOf(bundle).canonicalizedBody, 'base64');
  const { checkpoint, rootHash, hashes, treeSize, logIndex } = log.log.prove(body, details);
  entryOf(bundle).inclusionProof = {
    logIndex: String(logIndex),
    treeSize: String(treeSize),
    rootHash: rootHash.toString('base64'),
    hashes: hashes.map((hash) => hash.toString('base64')),
    checkpoint: { envelope: checkpoint },
  };
}

function alterBody(bundle: AlteredBundle, change: (body: string) => string): void {
  const entry = entryOf(bundle);
  const body = change(Buffer.from(entry.canonicalizedBody, 'base64').toString());
  entry.canonicalizedBody = Buffer.from(body).toString('base64');
}

const OTHER_CERTIFICATE = 'its entry in a log contains another certificate';
const OTHER_STATE = 'its proof is for another state of the log than the log signed';
const LOG_TIME = 'its log was not trusted at the time of the signature';

const TIME = `${SIGNING_TIME_TEXT}Z`;
const LATER: SigstoreDetails['logValidity'] = { start: '2026-06-01T12:00:01Z' };
const EARLIER = { start: '2020-01-01T00:00:00Z', end: '2026-06-01T11:59:59Z' };

describe('a signature is refused when it was made', () => {
  const PROMISE = 'TLOG_INCLUSION_PROMISE_ERROR';
  test.each<[what: string, reason: string, details: SigstoreDetails, form: BundleForm]>([
    ['before its log was to be believed, with a promise', PROMISE, { logValidity: LATER }, {}],
    ['after it, with a promise', PROMISE, { logValidity: EARLIER }, {}],
    ['before its log was to be believed, with a proof only', LOG_TIME, { logValidity: LATER }, REKOR_2],
    ['after it, with a proof only', LOG_TIME, { logValidity: EARLIER }, REKOR_2],
    ['before the log of certificates', 'CERTIFICATE_ERROR', { certificateLogValidity: LATER }, {}],
    ['after the log of certificates', 'CERTIFICATE_ERROR', { certificateLogValidity: EARLIER }, {}],
    ['before its authority', 'CERTIFICATE_ERROR', { authorityValidity: LATER }, {}],
    ['after its authority', 'CERTIFICATE_ERROR', { authorityValidity: EARLIER }, {}],
    ['before the authority for timestamps', 'TIMESTAMP_ERROR', { timestampValidity: LATER }, REKOR_2],
    ['after the authority for timestamps', 'TIMESTAMP_ERROR', { timestampValidity: EARLIER }, REKOR_2],
    [
      'before the certificate of the authority for timestamps',
      'TIMESTAMP_ERROR',
      { timestampCertificate: { from: new Date('2026-06-01T12:00:01Z') } },
      REKOR_2,
    ],
    [
      'after the certificate of the authority for timestamps',
      'TIMESTAMP_ERROR',
      { timestampCertificate: { until: new Date('2026-06-01T11:59:59Z') } },
      REKOR_2,
    ],
    [
      'by a clock whose certificate is for something else',
      'TIMESTAMP_ERROR',
      { timestampCertificate: { uses: [USES.codeSigning] } },
      REKOR_2,
    ],
    [
      'by a clock whose certificate is for other things too',
      'TIMESTAMP_ERROR',
      { timestampCertificate: { uses: [USES.timestamps, USES.server] } },
      REKOR_2,
    ],
  ])('%s', async (_what, reason, details, form) => {
    expect(await refusal(await TestSigstore.start(details), { form })).toBe(reason);
  });
});

describe('a time does not count that', () => {
  const clock = (time: string): VectorCase => ({ form: { ...REKOR_2, timestamps: [time] } });
  const NO_TIME = 'its timestamp has no time';
  test.each<[what: string, reason: string, one: VectorCase]>([
    [
      'nobody signed: an entry with a proof only',
      'TIMESTAMP_ERROR',
      {
        form: { hasPromise: false },
        alter: (bundle) => {
          entryOf(bundle).integratedTime = '1780315200';
        },
      },
    ],
    [
      'is another than the log promised',
      'TLOG_INCLUSION_PROMISE_ERROR',
      {
        alter: (bundle) => {
          entryOf(bundle).integratedTime = '1780315201';
        },
      },
    ],
    ['is told twice', 'TIMESTAMP_ERROR', { form: { ...REKOR_2, timestamps: [TIME, TIME] } }],
    ['is half a second after the certificate has ended', 'CERTIFICATE_ERROR', clock('20260601121000.5Z')],
    ['is before the certificate began', 'CERTIFICATE_ERROR', clock('20260601115959.999Z')],
    [
      'the authority refused to tell',
      'its timestamp is a refusal of the authority',
      {
        form: REKOR_2,
        alter: ({ verificationMaterial }) => {
          const [timestamp] = verificationMaterial.timestampVerificationData.rfc3161Timestamps;
          if (timestamp === undefined) throw new Error('it has no timestamp');
          const bytes = Buffer.from(timestamp.signedTimestamp, 'base64');
          // The status, which nobody signs, is the first number in it.
          bytes.writeUInt8(2, bytes.indexOf(Buffer.from([0x30, 3, 2, 1, 0])) + 4);
          timestamp.signedTimestamp = bytes.toString('base64');
        },
      },
    ],
    ['ends in a point', NO_TIME, clock('20260601120000.Z')],
    ['has ten digits of a fraction', NO_TIME, clock('20260601120000.1234567890Z')],
    ['is of another zone', NO_TIME, clock('20260601120000+0100')],
    ['is on no day', NO_TIME, clock('20260231120000Z')],
    ['has no seconds', NO_TIME, clock('202606011200Z')],
  ])('%s', async (_what, reason, one) => {
    expect(await refusal(sigstore, one)).toBe(reason);
  });

  test('a clock tells that nobody knows', async () => {
    expect(await refusal(sigstore, { form: REKOR_2, signing: { clock: stranger } })).toBe('TIMESTAMP_ERROR');
  });
});

describe('the entry in the log is refused', () => {
  const entries = (['message', 'statement'] as const).flatMap((content) =>
    ENTRIES[content].map((entry) => ({ content, entry })),
  );

  test.each(entries)('of another certificate: $content, $entry', async ({ content, entry }) => {
    const form = { ...REKOR_2, entry, loggedCertificate: stranger.rootCertificate };
    expect(await refusal(sigstore, { content, form })).toBe(OTHER_CERTIFICATE);
  });

  const UNKNOWN = 'its entry in a log is malformed, of an unknown kind, or names no signer';
  const NO_PROOF = 'TLOG_INCLUSION_PROOF_ERROR';
  const onProof = (change: (proof: AlteredProof) => void): VectorCase => ({
    form: REKOR_2,
    alter: (bundle) => change(proofOf(bundle)),
  });
  test.each<[what: string, reason: string, one: VectorCase]>([
    [
      'of a kind that is not known',
      UNKNOWN,
      { alter: (bundle) => alterBody(bundle, (body) => body.replace('"hashedrekord"', '"rekord"')) },
    ],
    [
      'of another version than it says',
      'TLOG_BODY_ERROR',
      {
        alter: (bundle) => {
          entryOf(bundle).kindVersion.version = '0.0.2';
        },
      },
    ],
    [
      'altered after it was logged',
      'TLOG_INCLUSION_PROMISE_ERROR',
      { alter: (bundle) => alterBody(bundle, (body) => `${body} `) },
    ],
    [
      'with the size of another tree',
      OTHER_STATE,
      onProof((proof) => void Object.assign(proof, { treeSize: '8' })),
    ],
    [
      'with the root of another tree',
      OTHER_STATE,
      onProof((proof) => void Object.assign(proof, { rootHash: Buffer.alloc(32).toString('base64') })),
    ],
    [
      'with another place in the tree',
      NO_PROOF,
      onProof((proof) => void Object.assign(proof, { logIndex: '4' })),
    ],
    [
      'with a place outside the tree',
      NO_PROOF,
      onProof((proof) => void Object.assign(proof, { logIndex: '7' })),
    ],
    ['with a hash less', NO_PROOF, onProof((proof) => void proof.hashes.pop())],
    ['with a hash more', NO_PROOF, onProof((proof) => void proof.hashes.push(proof.rootHash))],
    [
      'with another hash',
      NO_PROOF,
      onProof((proof) => void proof.hashes.splice(0, 1, Buffer.alloc(32).toString('base64'))),
    ],
    [
      'with a state that another log signed',
      NO_PROOF,
      { form: REKOR_2, alter: (bundle) => prove(bundle, stranger, {}) },
    ],
    [
      'with a state that nobody signed',
      NO_PROOF,
      onProof((proof) => {
        const root = Buffer.alloc(32).toString('base64');
        const { checkpoint } = proof;
        if (checkpoint) checkpoint.envelope = checkpoint.envelope.replace(proof.rootHash, root);
        proof.rootHash = root;
      }),
    ],
    [
      'without a state of the log',
      'its proof contains no state of the log that the log signed',
      {
        form: { mediaType: MEDIA_TYPES['0.1'], chain: [] },
        alter: (bundle) => void delete proofOf(bundle).checkpoint,
      },
    ],
    ['twice', 'TIMESTAMP_ERROR', { alter: twice }],
    ['twice, with a proof only', 'TLOG_ERROR', { form: REKOR_2, alter: twice }],
    [
      'that is missing',
      'TLOG_ERROR',
      { form: REKOR_2, alter: (bundle) => void bundle.verificationMaterial.tlogEntries.pop() },
    ],
  ])('%s', async (_what, reason, one) => {
    expect(await refusal(sigstore, one)).toBe(reason);
  });

  test('of a log that nobody knows', async () => {
    expect(await refusal(sigstore, { form: REKOR_2, signing: { log: stranger } })).toBe(NO_PROOF);
    expect(await refusal(sigstore, { signing: { log: stranger } })).toBe('TLOG_INCLUSION_PROMISE_ERROR');
  });
});

function twice({ verificationMaterial }: AlteredBundle): void {
  verificationMaterial.tlogEntries.push(...verificationMaterial.tlogEntries);
}

describe('a bundle is refused', () => {
  const onDigest = (change: (digest: { algorithm: string; digest: string }) => void): VectorCase => ({
    alter: ({ messageSignature }) => change(messageSignature.messageDigest),
  });
  const NO_FIT = 'it does not match what it signs';
  test.each<[what: string, reason: string, one: VectorCase]>([
    [
      'with another hash than it says',
      NO_FIT,
      onDigest((digest) => void Object.assign(digest, { algorithm: 'SHA2_512' })),
    ],
    [
      'with a hash that nobody uses',
      NO_FIT,
      onDigest((digest) => void Object.assign(digest, { algorithm: 'SHA3_256' })),
    ],
    [
      'without a word on its hash',
      'Unrecognized enum value  for enum HashAlgorithm',
      onDigest((digest) => void Object.assign(digest, { algorithm: '' })),
    ],
    [
      'with another digest',
      NO_FIT,
      onDigest((digest) => void Object.assign(digest, { digest: Buffer.alloc(32).toString('base64') })),
    ],
    ['by a key that is too short', 'SIGNATURE_ERROR', { signing: { key: 'RSA-1024' } }],
    ['that came into the log too late', 'CERTIFICATE_ERROR', { signing: { late: true } }],
    [
      'by a bare key',
      'it was made with a key, which does not name a signer',
      {
        alter: ({ verificationMaterial }) => {
          delete verificationMaterial.certificate;
          verificationMaterial.publicKey = { hint: 'mine' };
        },
      },
    ],
    [
      'with two signatures of a statement',
      'invalid bundle',
      {
        content: 'statement',
        alter: ({ dsseEnvelope: { signatures } }) => void signatures.push(...signatures),
      },
    ],
    [
      'with no signature of a statement',
      'invalid bundle',
      { content: 'statement', alter: ({ dsseEnvelope: { signatures } }) => void signatures.pop() },
    ],
    [
      'with a statement of another type',
      'SIGNATURE_ERROR',
      {
        content: 'statement',
        alter: ({ dsseEnvelope }) => void Object.assign(dsseEnvelope, { payloadType: 'text/plain' }),
      },
    ],
    [
      'with another statement',
      'TLOG_BODY_ERROR',
      {
        content: 'statement',
        alter: ({ dsseEnvelope }) => void Object.assign(dsseEnvelope, { payload: 'e30=' }),
      },
    ],
    ['of an unknown form', 'invalid bundle', { form: { mediaType: 'application/json' } }],
    ['of 0.3 without a proof', 'invalid bundle', { form: { hasProof: false } }],
    ['of 0.3 with a chain', 'invalid bundle', { form: { chain: [] } }],
    [
      'of 0.1 without a promise',
      'invalid v0.1 bundle',
      { form: { ...REKOR_2, mediaType: MEDIA_TYPES['0.1'], chain: [] } },
    ],
  ])('%s', async (_what, reason, one) => {
    expect(await refusal(sigstore, one)).toBe(reason);
  });

  test('of an authority that nobody knows, though it brings its root along', async () => {
    const form = { mediaType: MEDIA_TYPES['0.1'], chain: [stranger.rootCertificate] };
    expect(await refusal(sigstore, { form, signing: { authority: stranger } })).toBe('CERTIFICATE_ERROR');
  });
});
