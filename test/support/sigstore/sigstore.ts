import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CertificateExtension,
  certificate,
  extensions,
  type Issuer,
  issuerOf,
  names,
  rootCertificate,
  USES,
} from './certificate.ts';
import { sequence } from './der-writer.ts';
import { type HashName, type KeyKind, TestKey } from './test-key.ts';
import { TimestampAuthority, type TimestampAuthorityDetails } from './timestamp-authority.ts';
import { type LogAnswer, TransparencyLog } from './transparency-log.ts';

/** Who signs, and what is unusual about it. */
export interface Signing {
  readonly identity: string;
  readonly issuer: string;
  /** The signature comes into the log after its certificate has expired. */
  readonly late?: boolean;
  /** Of another Sigstore: its authority, its log alone, or its clock. */
  readonly authority?: TestSigstore;
  readonly log?: TestSigstore;
  readonly clock?: TestSigstore;
  readonly key?: KeyKind;
  /** With which it is signed, where that is not the one that goes with the key. */
  readonly hash?: HashName;
  /** What the certificate says, instead of what it usually does. */
  readonly extensions?: readonly CertificateExtension[];
  /** How many logs of certificates vouch for it; one unless told. */
  readonly certificateLogs?: number;
}

/** One signature with its proofs, before they are put into one form or another. */
export interface Signed {
  readonly signature: Buffer;
  readonly certificate: Buffer;
  readonly hash: HashName;
  readonly entry: LogAnswer;
}

/** When each part is to be believed, and what is unusual about it. */
export interface SigstoreDetails {
  readonly logValidity?: Validity;
  readonly certificateLogValidity?: Validity;
  readonly authorityValidity?: Validity;
  readonly timestampValidity?: Validity;
  /** Of the certificate of the authority for timestamps itself. */
  readonly timestampCertificate?: Partial<TimestampAuthorityDetails>;
  readonly logKey?: KeyKind;
}

interface Validity {
  readonly start?: string;
  readonly end?: string;
}

const HOUR = 3_600_000;
/** All is signed at that time. */
export const SIGNING_TIME = new Date('2026-06-01T12:00:00Z');
export const SIGNING_TIME_TEXT = '20260601120000';
const VALID: Validity = { start: '2020-01-01T00:00:00Z' };
const ROOTS_FROM = new Date('2020-01-01T00:00:00Z');
const ROOTS_UNTIL = new Date('2040-01-01T00:00:00Z');

/** Returns what the certificate of a signer says. */
export function signerExtensions(
  { identity, issuer }: Pick<Signing, 'identity' | 'issuer'>,
  {
    usage = [extensions.keyUsage('signature'), extensions.uses(USES.codeSigning)],
    named = [identity.includes('://') ? names.uri(identity) : names.email(identity)],
    vouched = [extensions.issuer(issuer), extensions.oldIssuer(issuer)],
  }: {
    readonly usage?: readonly CertificateExtension[];
    readonly named?: readonly Buffer[];
    readonly vouched?: readonly CertificateExtension[];
  } = {},
): readonly CertificateExtension[] {
  return [...usage, extensions.names(...named), ...vouched];
}

/** A Sigstore of a test's own: an authority that names signers, the log of its certificates, and the log of signatures. */
export class TestSigstore {
  readonly #details: SigstoreDetails;
  readonly #authority: Issuer = issuerOf('signers', new TestKey('P-384'));
  readonly #certificateLog = new TestKey('P-256');
  readonly #log: TransparencyLog;
  readonly #clock: TimestampAuthority;

  private constructor(details: SigstoreDetails) {
    this.#details = details;
    this.#log = new TransparencyLog('https://rekor.sigstore.example', details.logKey);
    this.#clock = new TimestampAuthority({
      from: ROOTS_FROM,
      until: ROOTS_UNTIL,
      ...details.timestampCertificate,
    });
  }

  static start(details: SigstoreDetails = {}): Promise<TestSigstore> {
    return Promise.resolve(new TestSigstore(details));
  }

  get log(): TransparencyLog {
    return this.#log;
  }

  /** The certificate of what issues those of signers. */
  get rootCertificate(): Buffer {
    return rootCertificate(this.#authority, ROOTS_FROM, ROOTS_UNTIL);
  }

  /** The trusted_root.json by which its signatures are verified. */
  get trustedRoot(): object {
    const { logValidity, certificateLogValidity, authorityValidity, timestampValidity } = this.#details;
    const logOf = (baseUrl: string, key: TestKey, validFor: Validity = VALID) => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: key.spki.toString('base64'),
        keyDetails: key.kind === 'Ed25519' ? 'PKIX_ED25519' : 'PKIX_ECDSA_P256_SHA_256',
        validFor,
      },
      logId: { keyId: createHash('sha256').update(key.spki).digest('base64') },
    });
    const authorityOf = (uri: string, chain: readonly Buffer[], validFor: Validity = VALID) => ({
      subject: { organization: 'sigstore.example', commonName: 'sigstore' },
      uri,
      certChain: { certificates: chain.map((each) => ({ rawBytes: each.toString('base64') })) },
      validFor,
    });
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logOf(this.#log.baseUrl, this.#log.key, logValidity)],
      certificateAuthorities: [
        authorityOf('https://fulcio.sigstore.example', [this.rootCertificate], authorityValidity),
      ],
      ctlogs: [logOf('https://ctfe.sigstore.example', this.#certificateLog, certificateLogValidity)],
      timestampAuthorities: [
        authorityOf('https://timestamp.sigstore.example', this.#clock.chain, timestampValidity),
      ],
    };
  }

  /** Writes its trusted_root.json into a folder and returns the path. */
  writeTrustedRoot(folder: string): string {
    const file = join(folder, 'trusted_root.json');
    writeFileSync(file, JSON.stringify(this.trustedRoot));
    return file;
  }

  /** Returns a signed time for a signature; `time` is as DER has it, such as `20260601120000.5Z`. */
  timestamp(signature: Buffer, time: Date | string = SIGNING_TIME): Buffer {
    return this.#clock.timestamp(signature, time);
  }

  /** Signs bytes; `entryOf` gives what goes into the log. */
  sign(
    bytes: Buffer,
    signing: Signing,
    entryOf: (signature: Buffer, certificate: Buffer, hash: HashName) => object,
  ): Signed {
    const { late = false, authority = this, log = this, certificateLogs = 1 } = signing;
    const key = new TestKey(signing.key ?? 'P-256', signing.hash);
    const issued = certificate({
      issuer: authority.#authority,
      subject: sequence(),
      spki: key.spki,
      from: SIGNING_TIME,
      until: new Date(SIGNING_TIME.getTime() + HOUR / 6),
      extensions: signing.extensions ?? signerExtensions(signing),
      logs: Array.from({ length: certificateLogs }, () => ({
        key: authority.#certificateLog,
        time: SIGNING_TIME,
      })),
    });
    const signature = key.sign(bytes);
    const time = late ? new Date(SIGNING_TIME.getTime() + HOUR) : SIGNING_TIME;
    const entry = log.#log.add(entryOf(signature, issued, key.hash), time);
    return { signature, certificate: issued, hash: key.hash, entry };
  }
}

/** Writes a certificate as PEM. */
export function toPem(bytes: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
}
