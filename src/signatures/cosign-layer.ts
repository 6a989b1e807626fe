import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../lib/json.ts';
import type { Digest } from '../registry/oci/digest.ts';
import { type Candidate, shown, type Unfit, unfit } from './candidate.ts';
import { readPem } from './pem.ts';

/** The type of a layer that holds what cosign signed. https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
export const COSIGN_PAYLOAD = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** The type of the oldest form: the only one that allows a chain of certificates and the log's promise without a proof. */
const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle+json;version=0.1';

const annotationsShape = z.object({
  'dev.cosignproject.cosign/signature': z.string().min(1),
  'dev.sigstore.cosign/certificate': z.string(),
  'dev.sigstore.cosign/bundle': z.string(),
});

const logEntryShape = z.object({
  SignedEntryTimestamp: z.string(),
  Payload: z.object({
    body: z.string(),
    integratedTime: z.int().min(0),
    logIndex: z.int().min(0),
    logID: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});

const logBodyShape = z.object({
  kind: z.string(),
  apiVersion: z.string(),
  spec: z.object({
    data: z.object({ hash: z.object({ algorithm: z.enum(['sha256', 'sha384', 'sha512']) }) }),
  }),
});

const payloadShape = z.object({
  critical: z.object({
    identity: z.object({ 'docker-reference': z.string() }),
    image: z.object({ 'docker-manifest-digest': z.string() }),
    type: z.literal('cosign container image signature'),
  }),
});

const HASH_NAMES = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' } as const;

/**
 * Reads a layer of cosign's signature tag as a signature of the manifest with that digest, which its payload must name.
 * Nothing is verified here.
 */
export function readCosignLayer(
  layer: { readonly annotations: unknown; readonly payload: Buffer },
  digest: Digest,
): Candidate | Unfit {
  const payload = payloadShape.safeParse(parseJson(layer.payload));
  if (!payload.success) return unfit('its payload is not for an image');
  const { identity, image } = payload.data.critical;
  const signed = image['docker-manifest-digest'];
  if (signed !== digest) return unfit(`it signs another image, ${shown(signed, 20)}`);
  const annotations = annotationsShape.safeParse(layer.annotations);
  if (!annotations.success) return unfit('it has no certificate or no entry in a log, so it names no signer');
  const certificate = readPem(annotations.data['dev.sigstore.cosign/certificate']);
  const entry = logEntryShape.safeParse(parseJson(annotations.data['dev.sigstore.cosign/bundle']));
  if (certificate === undefined || !entry.success)
    return unfit('its certificate or its entry in a log is malformed');
  const { SignedEntryTimestamp, Payload } = entry.data;
  const body = logBodyShape.safeParse(parseJson(Buffer.from(Payload.body, 'base64')));
  if (!body.success) return unfit('its entry in a log is malformed');
  const { algorithm } = body.data.spec.data.hash;
  const bundle = {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: certificate.toString('base64') }] },
      tlogEntries: [
        {
          logIndex: String(Payload.logIndex),
          logId: { keyId: Buffer.from(Payload.logID, 'hex').toString('base64') },
          kindVersion: { kind: body.data.kind, version: body.data.apiVersion },
          integratedTime: String(Payload.integratedTime),
          inclusionPromise: { signedEntryTimestamp: SignedEntryTimestamp },
          canonicalizedBody: Payload.body,
        },
      ],
    },
    messageSignature: {
      messageDigest: {
        algorithm: HASH_NAMES[algorithm],
        digest: createHash(algorithm).update(layer.payload).digest('base64'),
      },
      signature: annotations.data['dev.cosignproject.cosign/signature'],
    },
  };
  const names = { claims: [[identity['docker-reference']]] };
  return { kind: 'candidate', form: 'cosign', bundle, artifact: layer.payload, names };
}
