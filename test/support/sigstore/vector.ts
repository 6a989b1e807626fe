import { failureCode } from '../../../src/lib/failure.ts';
import { digestOf } from '../../../src/registry/oci/digest.ts';
import type { FoundSigner } from '../../../src/signatures/signer-certificate.ts';
import { SigstoreVerifier } from '../../../src/signatures/sigstore-verifier.ts';
import type { EntryKind } from './entry-kind.ts';
import { type BundleForm, messageBundle, statementBundle } from './signature.ts';
import type { Signing, TestSigstore } from './sigstore.ts';

/** What is signed. */
export const MANIFEST = Buffer.from('{"schemaVersion":2}');
/** Who signs unless a case says otherwise. */
export const SIGNER = { identity: 'me@example.com', issuer: 'https://accounts.example.com' };

export type Content = 'message' | 'statement';

/** One way to sign a manifest. */
export interface VectorCase {
  readonly content?: Content;
  readonly form?: BundleForm;
  readonly signing?: Partial<Signing>;
  /** Changes the bundle after it was signed. */
  readonly alter?: (bundle: AlteredBundle) => void;
}

/** Of a bundle what the cases alter. */
export interface AlteredBundle {
  mediaType: string;
  messageSignature: { messageDigest: { algorithm: string; digest: string }; signature: string };
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
  verificationMaterial: {
    certificate?: { rawBytes: string };
    publicKey?: { hint: string };
    tlogEntries: {
      logIndex: string;
      logId: { keyId: string };
      integratedTime: string;
      kindVersion: { kind: string; version: string };
      canonicalizedBody: string;
      inclusionPromise?: { signedEntryTimestamp: string };
      inclusionProof?: AlteredProof;
    }[];
    timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
}

export interface AlteredProof {
  logIndex: string;
  treeSize: string;
  rootHash: string;
  hashes: string[];
  checkpoint?: { envelope: string };
}

/** Returns a bundle as a case wants it. */
export async function bundleOf(sigstore: TestSigstore, one: VectorCase): Promise<AlteredBundle> {
  const { content = 'message', form = {}, signing = {}, alter = () => undefined } = one;
  const by = { ...SIGNER, ...signing };
  const made =
    content === 'message'
      ? await messageBundle(sigstore, MANIFEST, by, form)
      : await statementBundle(sigstore, digestOf(MANIFEST), by, {}, form);
  const bundle: AlteredBundle = JSON.parse(JSON.stringify(made));
  alter(bundle);
  return bundle;
}

/** Signs as a case wants it, and verifies that by the trusted root of the same Sigstore. */
export async function verifyVector(sigstore: TestSigstore, one: VectorCase): Promise<FoundSigner> {
  const bundle = await bundleOf(sigstore, one);
  const verifier = new SigstoreVerifier(sigstore.trustedRoot);
  const artifact = one.content === 'statement' ? undefined : MANIFEST;
  return verifier.verify({ kind: 'candidate', form: 'bundle', bundle, artifact, names: { claims: [] } });
}
/** Returns why a signature is refused: the words of our own, or the library's code. */
export async function refusal(sigstore: TestSigstore, one: VectorCase): Promise<string> {
  try {
    await verifyVector(sigstore, one);
    return 'accepted';
  } catch (error) {
    const code = failureCode(error);
    if (code !== 'UNEXPECTED') return code;
    return error instanceof Error ? error.message : String(error);
  }
}

/** The media types of bundles, by their versions. */
export const MEDIA_TYPES = {
  '0.1': 'application/vnd.dev.sigstore.bundle+json;version=0.1',
  '0.2': 'application/vnd.dev.sigstore.bundle+json;version=0.2',
  '0.3': 'application/vnd.dev.sigstore.bundle+json;version=0.3',
  'v0.3': 'application/vnd.dev.sigstore.bundle.v0.3+json',
  'v0.4': 'application/vnd.dev.sigstore.bundle.v0.4+json',
} as const;

/** What goes into a log, by what is signed. */
export const ENTRIES: Readonly<Record<Content, readonly EntryKind[]>> = {
  message: ['hashedrekord 0.0.1', 'hashedrekord 0.0.2'],
  statement: ['dsse 0.0.1', 'intoto 0.0.2', 'dsse 0.0.2', 'hashedrekord 0.0.1', 'hashedrekord 0.0.2'],
};
