import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from '@sigstore/mock';
import { z } from 'zod';

/** Who signs, and what is unusual about it. */
export interface Signing {
  readonly identity: string;
  readonly issuer: string;
  /** The signature comes into the log after its certificate has expired. */
  readonly late?: boolean;
  /** Of another Sigstore: its authority, or its log alone. */
  readonly authority?: TestSigstore;
  readonly log?: TestSigstore;
}

/** One signature with its proofs, before they are put into one form or another. */
export interface Signed {
  /** Base64, as everything here that is no JSON. */
  readonly signature: string;
  readonly certificate: string;
  readonly entry: LogEntry;
}

const entryShape = z.object({
  body: z.string(),
  integratedTime: z.number(),
  logID: z.string(),
  logIndex: z.number(),
  verification: z.object({
    signedEntryTimestamp: z.string(),
    inclusionProof: z.object({
      logIndex: z.number(),
      treeSize: z.number(),
      checkpoint: z.string(),
      rootHash: z.string(),
    }),
  }),
});

/** As Rekor answers it. */
export type LogEntry = z.infer<typeof entryShape>;

const REKOR = 'https://rekor.sigstore.dev';
const ISSUER_EXTENSION = '1.3.6.1.4.1.57264.1.8';
const SHA256 = '2.16.840.1.101.3.4.2.1';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

type Authority = Awaited<ReturnType<typeof initializeCA>>;
type Log = Awaited<ReturnType<typeof initializeTLog>>;

interface Parts {
  readonly authority: Authority;
  readonly certificateLog: Awaited<ReturnType<typeof initializeCTLog>>;
  readonly log: Log;
  readonly lateLog: Log;
  readonly clock: Awaited<ReturnType<typeof initializeTSA>>;
}

function keys(namedCurve: 'P-256' | 'P-384'): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve });
}

/**
 * Returns the time at which everything is signed: a day after the root certificates begin, which the mock dates by the
 * machine's clock. It is a whole second: @sigstore/core reads no fraction of one or two digits, and the mock writes .010 s
 * as ".01", so one start in ten would make timestamps that are malformed to it.
 */
function timeOfSignatures(): Date {
  const seconds = Math.floor((Date.now() + DAY) / 1000);
  return new Date(seconds * 1000);
}

/** A Sigstore of a test's own: an authority that names signers, the log of its certificates, and the log of signatures. */
export class TestSigstore {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async start(): Promise<TestSigstore> {
    const now = timeOfSignatures();
    const certificateLog = await initializeCTLog(keys('P-256'), now);
    const logKeys = keys('P-256');
    return new TestSigstore({
      certificateLog,
      authority: await initializeCA(keys('P-384'), certificateLog, now),
      log: await initializeTLog(REKOR, logKeys, now),
      clock: await initializeTSA(keys('P-384'), now),
      lateLog: await initializeTLog(REKOR, logKeys, new Date(now.getTime() + HOUR)),
    });
  }

  /** The trusted_root.json by which its signatures are verified. */
  get trustedRoot(): object {
    const { authority, certificateLog, log, clock } = this.#parts;
    const validFor = { start: '2020-01-01T00:00:00Z' };
    const logOf = (baseUrl: string, key: Buffer) => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: key.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
      logId: { keyId: createHash('sha256').update(key).digest('base64') },
    });
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logOf(REKOR, log.publicKey)],
      certificateAuthorities: [
        {
          subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
          uri: 'https://fulcio.sigstore.dev',
          certChain: {
            certificates: [{ rawBytes: toBase64(authority.rootCertificate) }],
          },
          validFor,
        },
      ],
      ctlogs: [logOf('https://ctfe.sigstore.dev', certificateLog.publicKey)],
      timestampAuthorities: [
        {
          subject: { organization: 'sigstore.mock', commonName: 'tsa' },
          uri: 'https://timestamp.sigstore.dev',
          certChain: {
            certificates: [clock.intCertificate, clock.rootCertificate].map((each) => ({
              rawBytes: toBase64(each),
            })),
          },
          validFor,
        },
      ],
    };
  }

  /** Writes its trusted_root.json into a folder and returns the path. */
  writeTrustedRoot(folder: string): string {
    const file = join(folder, 'trusted_root.json');
    writeFileSync(file, JSON.stringify(this.trustedRoot));
    return file;
  }

  /** Returns a signed time for a signature, both in base64. */
  async timestamp(signature: string): Promise<string> {
    const answer = await this.#parts.clock.timestamp({
      artifactHash: createHash('sha256').update(Buffer.from(signature, 'base64')).digest(),
      hashAlgorithmOID: SHA256,
      nonce: 1,
      policyOID: '1.3.6.1.4.1.57264.2',
    });
    return toBase64(answer);
  }

  /** Signs bytes; `entryOf` gives what goes into the log. */
  async sign(
    bytes: Buffer,
    { identity, issuer, late = false, authority = this, log = this }: Signing,
    entryOf: (signature: string, certificate: string) => object,
  ): Promise<Signed> {
    const { publicKey, privateKey } = keys('P-256');
    const issued = await authority.#parts.authority.issueCertificate({
      publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
      subjectAltName: identity,
      extensions: [{ oid: ISSUER_EXTENSION, value: issuer }],
    });
    const certificate = toBase64(issued);
    const signature = sign('sha256', bytes, privateKey).toString('base64');
    const { log: inTime, lateLog } = log.#parts;
    const logged: unknown = await (late ? lateLog : inTime).log(entryOf(signature, certificate));
    const [entry] = Object.values(z.record(z.string(), entryShape).parse(logged));
    if (entry === undefined) throw new Error('the log took no entry');
    return { signature, certificate, entry };
  }
}

function toBase64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** Writes a certificate as PEM. */
export function toPem(certificate: string): string {
  return `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`;
}
