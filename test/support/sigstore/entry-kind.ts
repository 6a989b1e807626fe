import { createHash } from 'node:crypto';
import { toPem } from './sigstore.ts';
import type { HashName } from './test-key.ts';

/** What goes into a log of signatures: kind and version, as clients of some year write it. */
export type EntryKind =
  | 'hashedrekord 0.0.1'
  | 'hashedrekord 0.0.2'
  | 'dsse 0.0.1'
  | 'dsse 0.0.2'
  | 'intoto 0.0.2';

interface Logged {
  /** What was signed. */
  readonly bytes: Buffer;
  /** Of a statement. */
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly certificate: Buffer;
  readonly hash: HashName;
}

function hex(hash: HashName, bytes: Buffer): { readonly algorithm: HashName; readonly value: string } {
  return { algorithm: hash, value: createHash(hash).update(bytes).digest('hex') };
}

function base64(bytes: Buffer | string): string {
  return Buffer.from(bytes).toString('base64');
}

export const HASH_NAMES = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' } as const;

/** Returns an entry as Rekor makes it. https://github.com/sigstore/rekor/tree/main/pkg/types, https://github.com/sigstore/rekor-tiles */
export function logEntry(kind: EntryKind, { bytes, payload, signature, certificate, hash }: Logged): object {
  const [name, apiVersion] = kind.split(' ');
  const content = signature.toString('base64');
  const pem = base64(toPem(certificate));
  const verifier = {
    x509Certificate: { rawBytes: certificate.toString('base64') },
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
  };
  const specs = {
    'hashedrekord 0.0.1': () => ({
      data: { hash: hex(hash, bytes) },
      signature: { content, publicKey: { content: pem } },
    }),
    'hashedrekord 0.0.2': () => ({
      hashedRekordV002: {
        data: {
          algorithm: HASH_NAMES[hash],
          digest: createHash(hash).update(bytes).digest('base64'),
        },
        signature: { content, verifier },
      },
    }),
    'dsse 0.0.1': () => ({
      envelopeHash: hex('sha256', bytes),
      payloadHash: hex('sha256', payload),
      signatures: [{ signature: content, verifier: pem }],
    }),
    'dsse 0.0.2': () => ({
      dsseV002: {
        payloadHash: {
          algorithm: 'SHA2_256',
          digest: createHash('sha256').update(payload).digest('base64'),
        },
        signatures: [{ content, verifier }],
      },
    }),
    'intoto 0.0.2': () => ({
      content: {
        envelope: {
          payloadType: 'application/vnd.in-toto+json',
          // Rekor encodes what was base64 already.
          signatures: [{ publicKey: pem, sig: base64(content) }],
        },
        hash: hex('sha256', bytes),
        payloadHash: hex('sha256', payload),
      },
    }),
  };
  return { apiVersion, kind: name, spec: specs[kind]() };
}
