import { createHash } from 'node:crypto';
import {
  bits,
  commonName,
  der,
  generalizedTime,
  integer,
  octets,
  oid,
  sequence,
  timeText,
  utf8,
  yes,
} from './der-writer.ts';
import type { TestKey } from './test-key.ts';

export const ECDSA_ALGORITHMS = {
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
} as const;

const CERTIFICATE_TIMESTAMPS = '1.3.6.1.4.1.11129.2.4.2';
const ISSUER = '1.3.6.1.4.1.57264.1.8';
const OLD_ISSUER = '1.3.6.1.4.1.57264.1.1';

export const USES = {
  codeSigning: '1.3.6.1.5.5.7.3.3',
  server: '1.3.6.1.5.5.7.3.1',
  timestamps: '1.3.6.1.5.5.7.3.8',
} as const;

/** One more thing that a certificate says. */
export interface CertificateExtension {
  readonly id: string;
  readonly value: Buffer;
  readonly isCritical?: boolean;
}

/** Whom a certificate names: each as bytes, with the tag of its kind. */
export const names = {
  email: (text: string | Buffer): Buffer => der(0x81, Buffer.from(text)),
  uri: (text: string | Buffer): Buffer => der(0x86, Buffer.from(text)),
  dns: (text: string): Buffer => der(0x82, Buffer.from(text)),
  other: (text: string): Buffer => der(0xa0, oid('1.3.6.1.4.1.57264.1.7'), der(0xa0, utf8(text))),
};

export const extensions = {
  keyUsage: (...usages: readonly ('signature' | 'certificates')[]): CertificateExtension => ({
    id: '2.5.29.15',
    isCritical: true,
    value: bits(
      Buffer.from([(usages.includes('signature') ? 0x80 : 0) + (usages.includes('certificates') ? 0x04 : 0)]),
    ),
  }),
  uses: (...uses: readonly string[]): CertificateExtension => ({
    id: '2.5.29.37',
    value: sequence(...uses.map(oid)),
  }),
  authority: (): CertificateExtension => ({ id: '2.5.29.19', isCritical: true, value: sequence(yes()) }),
  names: (...written: readonly Buffer[]): CertificateExtension => ({
    id: '2.5.29.17',
    isCritical: true,
    value: sequence(...written),
  }),
  issuer: (issuer: string | Buffer): CertificateExtension => ({
    id: ISSUER,
    value: der(0x0c, Buffer.from(issuer)),
  }),
  oldIssuer: (issuer: string): CertificateExtension => ({ id: OLD_ISSUER, value: Buffer.from(issuer) }),
};

function written({ id, value, isCritical = false }: CertificateExtension): Buffer {
  return sequence(oid(id), ...(isCritical ? [yes()] : []), octets(value));
}

/** What makes certificates: a root, or what a root vouches for. */
export interface Issuer {
  readonly name: Buffer;
  readonly key: TestKey;
}

interface CertificateRequest {
  readonly issuer: Issuer;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly from: Date;
  readonly until: Date;
  readonly extensions: readonly CertificateExtension[];
  readonly serial?: number;
  /** Logs that vouch for having seen it. */
  readonly logs?: readonly { readonly key: TestKey; readonly time: Date }[];
}

/** Returns a certificate as DER. https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
export function certificate(request: CertificateRequest): Buffer {
  const { issuer, logs = [] } = request;
  const algorithm = sequence(oid(ECDSA_ALGORITHMS[issuer.key.hash]));
  const body = (more: readonly CertificateExtension[]): Buffer =>
    sequence(
      der(0xa0, integer(2)),
      integer(request.serial ?? 1),
      algorithm,
      issuer.name,
      sequence(generalizedTime(timeText(request.from)), generalizedTime(timeText(request.until))),
      request.subject,
      request.spki,
      der(0xa3, sequence(...[...request.extensions, ...more].map(written))),
    );
  const seen = body([]);
  const list = Buffer.concat(logs.map(({ key, time }) => prefixed(seenBy(key, time, issuer, seen))));
  const signed = body(
    logs.length === 0 ? [] : [{ id: CERTIFICATE_TIMESTAMPS, value: octets(prefixed(list)) }],
  );
  return sequence(signed, algorithm, bits(issuer.key.sign(signed)));
}

function prefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Returns a log's word that it has seen a certificate. https://www.rfc-editor.org/rfc/rfc6962#section-3.2 */
function seenBy(log: TestKey, time: Date, issuer: Issuer, body: Buffer): Buffer {
  const at = Buffer.alloc(8);
  at.writeBigUInt64BE(BigInt(time.getTime()));
  const length = Buffer.alloc(3);
  length.writeUIntBE(body.length, 0, 3);
  const issuerHash = createHash('sha256').update(issuer.key.spki).digest();
  const signed = Buffer.concat([
    Buffer.from([0, 0]),
    at,
    Buffer.from([0, 1]),
    issuerHash,
    length,
    body,
    Buffer.from([0, 0]),
  ]);
  const id = createHash('sha256').update(log.spki).digest();
  return Buffer.concat([Buffer.from([0]), id, at, Buffer.from([0, 0, 4, 3]), prefixed(log.sign(signed))]);
}

/** Returns the certificate of a root. */
export function rootCertificate(issuer: Issuer, from: Date, until: Date): Buffer {
  return certificate({
    issuer,
    subject: issuer.name,
    spki: issuer.key.spki,
    from,
    until,
    extensions: [extensions.authority(), extensions.keyUsage('certificates')],
  });
}

/** Returns the name and key of what issues certificates. */
export function issuerOf(name: string, key: TestKey): Issuer {
  return { name: commonName(name), key };
}
