import { createHash } from 'node:crypto';
import { type Digest, digestHex, digestOf } from '../../../src/registry/oci/digest.ts';
import type { Image } from '../images/image.ts';
import { type EntryKind, HASH_NAMES, logEntry } from './entry-kind.ts';
import { SIGNING_TIME, type Signed, type Signing, type TestSigstore, toPem } from './sigstore.ts';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const PAYLOAD_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** One layer of a signature tag. */
export interface CosignLayer {
  readonly payload: Buffer;
  readonly annotations: Record<string, string>;
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

/** Signs a payload as cosign does. */
export async function cosignLayer(
  sigstore: TestSigstore,
  payload: Buffer,
  signing: Signing,
): Promise<CosignLayer> {
  const { signature, certificate, entry } = sigstore.sign(payload, signing, (signature, certificate, hash) =>
    logEntry('hashedrekord 0.0.1', { bytes: payload, payload, signature, certificate, hash }),
  );
  const { body, integratedTime, logIndex, logID, signedEntryTimestamp } = entry;
  const bundle = {
    SignedEntryTimestamp: signedEntryTimestamp.toString('base64'),
    Payload: { body: body.toString('base64'), integratedTime, logIndex, logID },
  };
  return {
    payload,
    annotations: {
      'dev.cosignproject.cosign/signature': signature.toString('base64'),
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

/** In which form a signature is put into a bundle, and with which proofs. */
export interface BundleForm {
  readonly mediaType?: string;
  readonly entry?: EntryKind;
  readonly hasPromise?: boolean;
  readonly hasProof?: boolean;
  /** Times that an authority signed, as DER has them; none unless told. */
  readonly timestamps?: readonly (Date | string)[];
  /** What the log has, where that is not the certificate of the signer. */
  readonly loggedCertificate?: Buffer;
  /** What follows the certificate, where the form is one that has a chain. */
  readonly chain?: readonly Buffer[];
}

function bundleOf(
  sigstore: TestSigstore,
  { signature, certificate, entry }: Signed,
  content: object,
  form: BundleForm & { readonly entry: EntryKind; readonly clock: TestSigstore | undefined },
) {
  const { body, integratedTime, logIndex, logID, signedEntryTimestamp, proof } = entry;
  const { mediaType = BUNDLE_TYPE, hasPromise = true, hasProof = true, timestamps = [], chain } = form;
  const [kind, version] = form.entry.split(' ');
  const clock = form.clock ?? sigstore;
  const rawBytes = certificate.toString('base64');
  const older = [certificate, ...(chain ?? [])].map((each) => ({ rawBytes: each.toString('base64') }));
  return {
    mediaType,
    verificationMaterial: {
      ...(chain === undefined
        ? { certificate: { rawBytes } }
        : { x509CertificateChain: { certificates: older } }),
      tlogEntries: [
        {
          logIndex: String(logIndex),
          logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
          kindVersion: { kind, version },
          integratedTime: String(hasPromise ? integratedTime : 0),
          ...(hasPromise
            ? { inclusionPromise: { signedEntryTimestamp: signedEntryTimestamp.toString('base64') } }
            : {}),
          ...(hasProof
            ? {
                inclusionProof: {
                  logIndex: String(proof.logIndex),
                  treeSize: String(proof.treeSize),
                  rootHash: proof.rootHash.toString('base64'),
                  hashes: proof.hashes.map((hash) => hash.toString('base64')),
                  checkpoint: { envelope: proof.checkpoint },
                },
              }
            : {}),
          canonicalizedBody: body.toString('base64'),
        },
      ],
      timestampVerificationData: {
        rfc3161Timestamps: timestamps.map((time) => ({
          signedTimestamp: clock.timestamp(signature, time).toString('base64'),
        })),
      },
    },
    ...content,
  };
}

/** Returns a bundle that signs bytes themselves. */
export async function messageBundle(
  sigstore: TestSigstore,
  bytes: Buffer,
  signing: Signing,
  form: BundleForm = {},
): Promise<object> {
  const entry = form.entry ?? 'hashedrekord 0.0.1';
  const signed = sigstore.sign(bytes, signing, (signature, certificate, hash) =>
    logEntry(entry, {
      bytes,
      payload: bytes,
      signature,
      certificate: form.loggedCertificate ?? certificate,
      hash,
    }),
  );
  const content = {
    messageSignature: {
      messageDigest: {
        algorithm: HASH_NAMES[signed.hash],
        digest: createHash(signed.hash).update(bytes).digest('base64'),
      },
      signature: signed.signature.toString('base64'),
    },
  };
  return bundleOf(sigstore, signed, content, { ...form, entry, clock: signing.clock });
}

/** As clients of a log of the newer kind write it, which promises nothing and tells no time: an authority does. */
export const REKOR_2: BundleForm = { hasPromise: false, timestamps: [SIGNING_TIME] };

/**
 * Returns a bundle that signs bytes themselves and is in a log of the newer kind, which promises nothing and tells no
 * time: a time-stamping authority does. https://github.com/sigstore/rekor-tiles
 */
export function timestampedBundle(sigstore: TestSigstore, bytes: Buffer, signing: Signing): Promise<object> {
  return messageBundle(sigstore, bytes, signing, { ...REKOR_2, entry: 'hashedrekord 0.0.2' });
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
  form: BundleForm = {},
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
  const entry = form.entry ?? 'dsse 0.0.1';
  const signed = sigstore.sign(encoded, signing, (signature, certificate, hash) =>
    logEntry(entry, {
      bytes: encoded,
      payload,
      signature,
      certificate: form.loggedCertificate ?? certificate,
      hash,
    }),
  );
  const content = {
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ sig: signed.signature.toString('base64') }],
    },
  };
  return bundleOf(sigstore, signed, content, { ...form, entry, clock: signing.clock });
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
