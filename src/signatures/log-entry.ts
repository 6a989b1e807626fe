import type { Bundle } from '@sigstore/bundle';
import { z } from 'zod';
import { parseJson } from '../lib/json.ts';
import { eachOf } from '../lib/zero-value.ts';
import { readPem } from './pem.ts';
import { Untrusted } from './untrusted.ts';

/** An entry of a log of signatures, as a bundle has it. */
export type LogEntry = Bundle['verificationMaterial']['tlogEntries'][number];

const pem = z.string().transform((text) => readPem(Buffer.from(text, 'base64').toString('latin1')));
const rawCertificate = z
  .object({ x509Certificate: z.object({ rawBytes: z.string() }) })
  .transform(({ x509Certificate }) => Buffer.from(x509Certificate.rawBytes, 'base64'));

/** Where each kind of entry has the certificates of its signers. https://github.com/sigstore/rekor/tree/main/pkg/types */
const certificatesShape = z.union([
  z
    .object({
      kind: z.literal('hashedrekord'),
      apiVersion: z.literal('0.0.1'),
      spec: z.object({ signature: z.object({ publicKey: z.object({ content: pem }) }) }),
    })
    .transform(({ spec }) => [spec.signature.publicKey.content]),
  z
    .object({
      kind: z.literal('hashedrekord'),
      apiVersion: z.literal('0.0.2'),
      spec: z.object({
        hashedRekordV002: z.object({ signature: z.object({ verifier: rawCertificate }) }),
      }),
    })
    .transform(({ spec }) => [spec.hashedRekordV002.signature.verifier]),
  z
    .object({
      kind: z.literal('dsse'),
      apiVersion: z.literal('0.0.1'),
      spec: z.object({ signatures: eachOf(z.object({ verifier: pem })) }),
    })
    .transform(({ spec }) => spec.signatures.map(({ verifier }) => verifier)),
  z
    .object({
      kind: z.literal('dsse'),
      apiVersion: z.literal('0.0.2'),
      spec: z.object({ dsseV002: z.object({ signatures: eachOf(z.object({ verifier: rawCertificate })) }) }),
    })
    .transform(({ spec }) => spec.dsseV002.signatures.map(({ verifier }) => verifier)),
  z
    .object({
      kind: z.literal('intoto'),
      apiVersion: z.literal('0.0.2'),
      spec: z.object({
        content: z.object({
          envelope: z.object({ signatures: eachOf(z.object({ publicKey: pem })) }),
        }),
      }),
    })
    .transform(({ spec }) => spec.content.envelope.signatures.map(({ publicKey }) => publicKey)),
]);

/**
 * Throws `Untrusted` if an entry is not for a signature by the holder of that certificate, or contradicts itself. It does
 * not check that the entry is in a log, and for the same bytes and signature.
 */
export function checkLogEntry(entry: LogEntry, certificate: Buffer): void {
  const certificates = certificatesShape.safeParse(parseJson(entry.canonicalizedBody));
  if (!certificates.success) {
    throw new Untrusted('its entry in a log is malformed, of an unknown kind, or names no signer');
  }
  const [logged, ...others] = certificates.data;
  if (others.length > 0 || logged?.equals(certificate) !== true) {
    throw new Untrusted('its entry in a log contains another certificate');
  }
  const { inclusionProof } = entry;
  if (inclusionProof === undefined) return;
  if (inclusionProof.checkpoint === undefined) {
    throw new Untrusted('its proof contains no state of the log that the log signed');
  }
  const [, size, root = ''] = inclusionProof.checkpoint.envelope.split('\n');
  if (size !== inclusionProof.treeSize || !Buffer.from(root, 'base64').equals(inclusionProof.rootHash)) {
    throw new Untrusted('its proof is for another state of the log than the log signed');
  }
}
