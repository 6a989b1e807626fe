import { createHash } from 'node:crypto';
import { type Digest, digestHex, digestOf } from '../../../src/registry/oci/digest.ts';
import type { Image } from '../images/image.ts';
import { type Signed, type Signing, type TestSigstore, toPem } from './sigstore.ts';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const PAYLOAD_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** One layer of a signature tag. */
export interface CosignLayer {
  readonly payload: Buffer;
  readonly annotations: Record<string, string>;
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Returns what cosign signs. */
export function cosignPayload(
  digest: string,
  name: string,
  type = 'cosign container image signature',
): Buffer {
  const critical = {
    identity: { 'docker-reference': name },
    image: { 'docker-manifest-digest': digest },
    type,
  };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}

function recordOf(bytes: Buffer) {
  return (signature: string, certificate: string): object => ({
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: {
      data: { hash: { algorithm: 'sha256', value: sha256(bytes).toString('hex') } },
      signature: {
        content: signature,
        publicKey: { content: Buffer.from(toPem(certificate)).toString('base64') },
      },
    },
  });
}

/** Signs a payload as cosign does. */
export async function cosignLayer(
  sigstore: TestSigstore,
  payload: Buffer,
  signing: Signing,
): Promise<CosignLayer> {
  const { signature, certificate, entry } = await sigstore.sign(payload, signing, recordOf(payload));
  const { body, integratedTime, logIndex, logID, verification } = entry;
  const bundle = {
    SignedEntryTimestamp: verification.signedEntryTimestamp,
    Payload: { body, integratedTime, logIndex, logID },
  };
  return {
    payload,
    annotations: {
      'dev.cosignproject.cosign/signature': signature,
      'dev.sigstore.cosign/certificate': toPem(certificate),
      'dev.sigstore.cosign/chain': '',
      'dev.sigstore.cosign/bundle': JSON.stringify(bundle),
    },
  };
}

interface ArtifactLayer {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly annotations?: Record<string, string>;
}

function artifact(layers: readonly ArtifactLayer[], configType: string, more: object = {}): Image {
  const config = Buffer.from('{}');
  const describe = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const body = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    ...more,
    config: describe(config, configType),
    layers: layers.map(({ bytes, mediaType, annotations }) => ({
      ...describe(bytes, mediaType),
      ...(annotations === undefined ? {} : { annotations }),
    })),
  };
  const bytes = Buffer.from(JSON.stringify(body));
  const blobs = new Map(
    [config, ...layers.map((layer) => layer.bytes)].map((blob) => [digestOf(blob), blob]),
  );
  return { digest: digestOf(bytes), mediaType: MANIFEST_TYPE, bytes, children: [], blobs };
}

/** Returns the tag under which cosign keeps the signatures of a manifest. */
export function signatureTag(digest: Digest): string {
  return `sha256-${digestHex(digest)}.sig`;
}

/** Puts layers into the manifest that a signature tag leads to. */
export function cosignManifest(layers: readonly CosignLayer[]): Image {
  return artifact(
    layers.map(({ payload, annotations }) => ({ bytes: payload, mediaType: PAYLOAD_TYPE, annotations })),
    'application/vnd.oci.image.config.v1+json',
  );
}

function bundleOf({ certificate, entry }: Signed, kind: string, content: object) {
  const { body, integratedTime, logIndex, logID, verification } = entry;
  const { inclusionProof: proof, signedEntryTimestamp } = verification;
  return {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: {
      certificate: { rawBytes: certificate },
      tlogEntries: [
        {
          logIndex: String(logIndex),
          logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
          kindVersion: { kind, version: '0.0.1' },
          integratedTime: String(integratedTime),
          inclusionPromise: { signedEntryTimestamp },
          inclusionProof: {
            logIndex: String(proof.logIndex),
            treeSize: String(proof.treeSize),
            rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
            hashes: [],
            checkpoint: { envelope: proof.checkpoint },
          },
          canonicalizedBody: body,
        },
      ],
    },
    ...content,
  };
}

/** Returns a bundle that signs bytes themselves. */
export async function messageBundle(
  sigstore: TestSigstore,
  bytes: Buffer,
  signing: Signing,
): Promise<object> {
  const signed = await sigstore.sign(bytes, signing, recordOf(bytes));
  return bundleOf(signed, 'hashedrekord', messageSignature(bytes, signed));
}

/**
 * Returns a bundle that signs bytes themselves and is in a log of the newer kind, which promises nothing and tells no time: a
 * time-stamping authority does. https://github.com/sigstore/rekor-tiles
 */
export async function timestampedBundle(
  sigstore: TestSigstore,
  bytes: Buffer,
  signing: Signing & { readonly clock?: TestSigstore },
): Promise<object> {
  const signed = await sigstore.sign(bytes, signing, (signature, certificate) => ({
    kind: 'hashedrekord',
    apiVersion: '0.0.2',
    spec: {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: sha256(bytes).toString('base64') },
        signature: {
          content: signature,
          verifier: { x509Certificate: { rawBytes: certificate }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' },
        },
      },
    },
  }));
  const { verificationMaterial, ...rest } = bundleOf(signed, 'hashedrekord', messageSignature(bytes, signed));
  const [entry] = verificationMaterial.tlogEntries;
  const { inclusionPromise: _, ...withoutPromise } = { ...entry, inclusionPromise: undefined };
  const signedTimestamp = await (signing.clock ?? sigstore).timestamp(signed.signature);
  return {
    ...rest,
    verificationMaterial: {
      ...verificationMaterial,
      tlogEntries: [
        { ...withoutPromise, integratedTime: '0', kindVersion: { kind: 'hashedrekord', version: '0.0.2' } },
      ],
      timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp }] },
    },
  };
}

function messageSignature(bytes: Buffer, { signature }: Signed) {
  return {
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: sha256(bytes).toString('base64') },
      signature,
    },
  };
}

/** What a statement says besides the digest that it is about. */
interface Statement {
  /** Under which names the digest is among its subjects; none by default. */
  readonly names?: readonly string[];
  /** Other subjects, by their names. */
  readonly others?: Readonly<Record<string, Digest>>;
  readonly predicateType?: string;
  readonly predicate?: object;
}

/** Returns a bundle with a statement about the manifest with that digest. */
export async function statementBundle(
  sigstore: TestSigstore,
  digest: Digest,
  signing: Signing,
  statement: Statement = {},
): Promise<object> {
  const { names = [], others = {}, predicate = {} } = statement;
  const { predicateType = 'https://sigstore.dev/cosign/sign/v1' } = statement;
  const own = { digest: { sha256: digestHex(digest) } };
  const payloadType = 'application/vnd.in-toto+json';
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        ...Object.entries(others).map(([name, other]) => ({ name, digest: { sha256: digestHex(other) } })),
        ...(names.length === 0 ? [own] : names.map((name) => ({ name, ...own }))),
      ],
      predicateType,
      predicate,
    }),
  );
  // DSSE signs what it is as well. https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
  const encoded = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);
  const signed = await sigstore.sign(encoded, signing, (signature, certificate) => ({
    kind: 'dsse',
    apiVersion: '0.0.1',
    spec: {
      payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
      signatures: [{ signature, verifier: Buffer.from(toPem(certificate)).toString('base64') }],
    },
  }));
  return bundleOf(signed, 'dsse', {
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ sig: signed.signature }],
    },
  });
}

/** Puts a bundle into a manifest that refers to another one. */
export function bundleManifest(
  bundle: object,
  subject: Pick<Image, 'digest' | 'mediaType' | 'bytes'>,
): Image {
  const { digest, mediaType, bytes } = subject;
  return artifact(
    [{ bytes: Buffer.from(JSON.stringify(bundle)), mediaType: BUNDLE_TYPE }],
    'application/vnd.oci.empty.v1+json',
    { artifactType: BUNDLE_TYPE, subject: { digest, mediaType, size: bytes.length } },
  );
}

/** Returns the list of what refers to a manifest, and the tag under which registries without the API keep it. */
export function referrersIndex(
  digest: Digest,
  referrers: readonly Image[],
): { readonly tag: string; readonly image: Image } {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX_TYPE,
      manifests: referrers.map((each) => ({
        mediaType: each.mediaType,
        digest: each.digest,
        size: each.bytes.length,
        artifactType: BUNDLE_TYPE,
      })),
    }),
  );
  const blobs = new Map(referrers.flatMap((each) => [...each.blobs]));
  const image = { digest: digestOf(bytes), mediaType: INDEX_TYPE, bytes, children: referrers, blobs };
  return { tag: `sha256-${digestHex(digest)}`, image };
}
