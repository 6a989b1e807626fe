import { extensions, USES } from '../support/sigstore/certificate.ts';
import { der, integer, octets, oid, sequence } from '../support/sigstore/der-writer.ts';
import { REKOR_2 } from '../support/sigstore/signature.ts';
import { signerExtensions, type TestSigstore } from '../support/sigstore/sigstore.ts';
import { type AlteredBundle, bundleOf, SIGNER, type VectorCase } from '../support/sigstore/vector.ts';

/** A bundle that is made to keep its reader busy. */
export interface HostileBundle {
  readonly name: string;
  readonly bytes: Buffer;
  /** Why it is refused. */
  readonly told: string;
}

/** What is read of a bundle, nearly. */
const MOST = 1_000_000;
/** What is read of a certificate or timestamp, nearly. */
const MOST_DER = 16_200;

const NULL = Buffer.from([5, 0]);

function again(length: number, bytes: Buffer = NULL): Buffer {
  return Buffer.alloc(length - (length % bytes.length), bytes);
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}

function nested(tag: number, depth: number, bytes: Buffer): Buffer {
  let whole = bytes;
  for (let level = 0; level < depth; level += 1) whole = der(tag, whole);
  return whole;
}

/** A certificate that is its own issuer, and whose key is as long as it fits: its signature is tried with that key. */
function ownIssuer(): Buffer {
  const modulus = Buffer.alloc(7000, 0xff);
  const number = der(0x02, Buffer.from([0]), modulus);
  const exponent = der(0x02, Buffer.from([1, 0, 1]));
  const kind = sequence(oid('1.2.840.113549.1.1.1'), NULL);
  const key = sequence(kind, der(0x03, Buffer.from([0]), sequence(number, exponent)));
  const algorithm = sequence(oid('1.2.840.113549.1.1.11'), NULL);
  const validity = sequence(
    der(0x18, Buffer.from('20200101000000Z')),
    der(0x18, Buffer.from('20400101000000Z')),
  );
  const body = sequence(der(0xa0, integer(2)), integer(1), algorithm, sequence(), validity, sequence(), key);
  return sequence(body, algorithm, der(0x03, Buffer.from([0]), modulus));
}

const CERTIFICATE = 'its certificate is malformed';
const LARGE = 'a part of it is larger than in any real bundle';
const MALFORMED = 'its timestamp is malformed';

type Change = (bundle: AlteredBundle) => void;

function withCertificate(bytes: Buffer): Change {
  return ({ verificationMaterial }) => {
    verificationMaterial.certificate = { rawBytes: base64(bytes) };
  };
}

function withTimestamps(...timestamps: readonly Buffer[]): Change {
  return ({ verificationMaterial }) => {
    verificationMaterial.timestampVerificationData.rfc3161Timestamps = timestamps.map((each) => ({
      signedTimestamp: base64(each),
    }));
  };
}

function entryOf({ verificationMaterial: { tlogEntries } }: AlteredBundle) {
  const [entry] = tlogEntries;
  if (entry?.inclusionProof === undefined) throw new Error('it has no entry with a proof');
  return { entry, proof: entry.inclusionProof };
}

function withBody(body: string): Change {
  return (bundle) => {
    entryOf(bundle).entry.canonicalizedBody = base64(Buffer.from(body));
  };
}

function withCheckpoint(envelope: string): Change {
  return (bundle) => {
    entryOf(bundle).proof.checkpoint = { envelope };
  };
}

/** Of the library: what is signed as it should be, by an authority that nobody knows. */
function bySigner(more: Buffer, count: number): Partial<VectorCase> {
  const usual = signerExtensions(SIGNER, {
    usage: [extensions.keyUsage('signature'), extensions.uses(USES.codeSigning)],
  });
  const odd = Array.from({ length: count }, (_, at) => ({ id: `1.3.6.1.4.1.99999.${at}`, value: more }));
  return { signing: { extensions: [...usual, ...odd] } };
}

const ALTERED: readonly [name: string, told: string, alter: Change][] = [
  ['a certificate of 350,000 NULLs', LARGE, withCertificate(sequence(again(700_000)))],
  ['a certificate of 8,000 NULLs', CERTIFICATE, withCertificate(sequence(again(MOST_DER)))],
  ['a certificate of 900 NULLs', CERTIFICATE, withCertificate(sequence(again(1800)))],
  [
    'a certificate of 50 sequences in each other',
    CERTIFICATE,
    withCertificate(nested(0x30, 50, again(15_000))),
  ],
  ['a certificate of 90 strings in each other', CERTIFICATE, withCertificate(nested(4, 90, again(15_000)))],
  ['a certificate with a number of 16 KB', CERTIFICATE, withCertificate(der(2, again(MOST_DER)))],
  [
    'a certificate that is its own issuer, with a key of 56,000 bits',
    "its certificate is an authority's",
    withCertificate(ownIssuer()),
  ],
  ['a timestamp of 350,000 NULLs', LARGE, withTimestamps(sequence(again(700_000)))],
  ['a timestamp of 8,000 NULLs', 'its timestamp is malformed', withTimestamps(sequence(again(MOST_DER)))],
  ['20,000 timestamps', 'it is not a bundle', withTimestamps(...Array.from({ length: 20_000 }, () => NULL))],
  [
    'eight timestamps of 450 strings of 30 bytes',
    MALFORMED,
    withTimestamps(
      ...Array.from({ length: 8 }, () => sequence(again(450 * 32, octets(Buffer.alloc(30, 0xff))))),
    ),
  ],
  [
    '300 entries of a log',
    LARGE,
    ({ verificationMaterial }) => {
      const [entry] = verificationMaterial.tlogEntries;
      if (entry) verificationMaterial.tlogEntries = Array.from({ length: 300 }, () => entry);
    },
  ],
  ['an entry of 700 KB', LARGE, withBody('"'.padEnd(700_000, 'a'))],
  ['an entry of lists in each other', 'its entry in a log is malformed', withBody('['.repeat(49_000))],
  ['an entry of 16,000 objects', 'its entry in a log is malformed', withBody(`[${'{},'.repeat(16_000)}{}]`)],
  [
    '20,000 hashes of a proof',
    LARGE,
    (bundle) => {
      entryOf(bundle).proof.hashes = Array.from({ length: 20_000 }, () => base64(Buffer.alloc(32)));
    },
  ],
  ['a checkpoint of 700 KB', LARGE, withCheckpoint('a'.repeat(700_000))],
  ['a checkpoint of signs', 'its log has more witnesses', withCheckpoint('\u2014 '.repeat(4000))],
  [
    'a sound entry eight times, each with 31 wrong signatures of its log',
    'TLOG_ERROR',
    (bundle) => {
      const { entry, proof } = entryOf(bundle);
      const [note = '', signed = ''] = proof.checkpoint?.envelope.split('\n\n') ?? [];
      const [, origin, bytes = ''] = signed.trim().split(' ');
      const signature = Buffer.from(bytes, 'base64');
      signature.writeUInt8(signature.readUInt8(20) ^ 1, 20);
      const wrong = `\u2014 ${origin} ${base64(signature)}\n`;
      proof.checkpoint = { envelope: `${note}\n\n${wrong.repeat(31)}${signed}` };
      bundle.verificationMaterial.tlogEntries = Array.from({ length: 8 }, () => entry);
    },
  ],
  [
    'a checkpoint of a tree with a size of 16,000 digits',
    'its proof is for another state',
    withCheckpoint(`log\n${'9'.repeat(16_000)}\nAAAA\n\n`),
  ],
  [
    'a signature of 700 KB',
    LARGE,
    ({ messageSignature }) => {
      messageSignature.signature = base64(Buffer.alloc(700_000));
    },
  ],
];

const SIGNED: readonly [name: string, told: string, one: Partial<VectorCase>][] = [
  [
    'a certificate of a stranger with an extension of 14 KB',
    'CERTIFICATE_ERROR',
    bySigner(Buffer.alloc(14_000, 0xff), 1),
  ],
  [
    'a certificate of a stranger with 200 extensions',
    'CERTIFICATE_ERROR',
    bySigner(Buffer.alloc(40, 0xff), 200),
  ],
  ['a certificate of a stranger with 800 NULLs', 'CERTIFICATE_ERROR', bySigner(again(1600), 1)],
];

/** Returns bundles of up to 1 MB, each with much in one place, and why each is refused. */
export async function hostileBundles(
  sigstore: TestSigstore,
  stranger: TestSigstore,
): Promise<readonly HostileBundle[]> {
  const write = (bundle: unknown): Buffer => Buffer.from(JSON.stringify(bundle));
  const made: HostileBundle[] = [];
  for (const [name, told, alter] of ALTERED) {
    made.push({ name, told, bytes: write(await bundleOf(sigstore, { form: REKOR_2, alter })) });
  }
  for (const [name, told, one] of SIGNED) {
    const signing = { ...one.signing, authority: stranger };
    made.push({ name, told, bytes: write(await bundleOf(sigstore, { form: REKOR_2, ...one, signing })) });
  }
  const statement = (payload: string): Buffer => {
    const payloadType = 'application/vnd.in-toto+json';
    return write({ dsseEnvelope: { payload: base64(Buffer.from(payload)), payloadType } });
  };
  return [
    ...made,
    {
      name: 'a bundle of {}',
      told: 'it is not a bundle',
      bytes: Buffer.from(`{"messageSignature":[${'{},'.repeat(MOST / 3)}{}]}`),
    },
    {
      name: 'a statement of {}',
      told: 'it is not an in-toto statement',
      bytes: statement(`[${'{},'.repeat(MOST / 5)}{}]`),
    },
    {
      name: 'a statement about 15,000 things',
      told: 'it is not an in-toto statement',
      bytes: statement(
        `{"predicateType":"https://slsa.dev/provenance/v1","subject":[${'{"name":"a","digest":{"sha256":"a"}},'.repeat(15_000)}{"digest":{}}]}`,
      ),
    },
  ];
}
