import { createHash } from 'node:crypto';
import { certificate, ECDSA_ALGORITHMS, extensions, issuerOf, rootCertificate, USES } from './certificate.ts';
import {
  commonName,
  der,
  generalizedTime,
  integer,
  octets,
  oid,
  sequence,
  setOf,
  timeText,
} from './der-writer.ts';
import { type HashName, type KeyKind, TestKey } from './test-key.ts';

const HASHES = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;
const RSA_ALGORITHMS = {
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
} as const;
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TIMESTAMP_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SERIAL = 7;

/** What is unusual about the authority. */
export interface TimestampAuthorityDetails {
  /** Of the certificate. */
  readonly from: Date;
  readonly until: Date;
  readonly uses?: readonly string[];
  readonly key?: KeyKind;
  readonly hash?: HashName;
}

/** An authority that signs at what time it saw something. https://www.rfc-editor.org/rfc/rfc3161 */
export class TimestampAuthority {
  readonly #key: TestKey;
  readonly #root = issuerOf('time root', new TestKey('P-384'));
  /** The signer's, and the root's. */
  readonly chain: readonly Buffer[];

  constructor({ from, until, uses = [USES.timestamps], key = 'P-256', hash }: TimestampAuthorityDetails) {
    this.#key = new TestKey(key, hash);
    const leaf = certificate({
      issuer: this.#root,
      subject: commonName('time'),
      spki: this.#key.spki,
      from,
      until,
      serial: SERIAL,
      extensions: [extensions.keyUsage('signature'), { ...extensions.uses(...uses), isCritical: true }],
    });
    this.chain = [leaf, rootCertificate(this.#root, from, until)];
  }

  /** Returns the signed time of a signature, with the digits of its fraction as they are told. */
  timestamp(signature: Buffer, time: Date | string): Buffer {
    const imprint = createHash('sha256').update(signature).digest();
    const info = sequence(
      integer(1),
      oid('1.3.6.1.4.1.57264.2'),
      sequence(sequence(oid(HASHES.sha256)), octets(imprint)),
      integer(5),
      generalizedTime(typeof time === 'string' ? time : timeText(time)),
    );
    const { hash, kind } = this.#key;
    const algorithms = kind.startsWith('RSA') ? RSA_ALGORITHMS : ECDSA_ALGORITHMS;
    const digest = createHash(hash).update(info).digest();
    const attributes = [
      sequence(oid(CONTENT_TYPE), setOf(oid(TIMESTAMP_INFO))),
      sequence(oid(MESSAGE_DIGEST), setOf(octets(digest))),
    ];
    const signerInfo = sequence(
      integer(1),
      sequence(this.#root.name, integer(SERIAL)),
      sequence(oid(HASHES[hash])),
      der(0xa0, ...attributes),
      sequence(oid(algorithms[hash])),
      octets(this.#key.sign(setOf(...attributes))),
    );
    const signedData = sequence(
      integer(3),
      setOf(sequence(oid(HASHES[hash]))),
      sequence(oid(TIMESTAMP_INFO), der(0xa0, octets(info))),
      setOf(signerInfo),
    );
    return sequence(sequence(integer(0)), sequence(oid(SIGNED_DATA), der(0xa0, signedData)));
  }
}
