import { createHash, type KeyObject, verify } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import type { toSignedEntity } from '@sigstore/verify';
import { Untrusted } from './untrusted.ts';

type SignatureContent = ReturnType<typeof toSignedEntity>['signature'];

const HASHES: ReadonlyMap<HashAlgorithm, string> = new Map([
  [HashAlgorithm.SHA2_256, 'sha256'],
  [HashAlgorithm.SHA2_384, 'sha384'],
  [HashAlgorithm.SHA2_512, 'sha512'],
]);

/** The hashes that go with keys of each curve; clients before 2025 used SHA-256 for all. */
const HASHES_OF_CURVES: ReadonlyMap<string, readonly string[]> = new Map([
  ['prime256v1', ['sha256']],
  ['secp384r1', ['sha384', 'sha256']],
  ['secp521r1', ['sha512', 'sha256']],
]);

const RSA_BITS = 2048;

function hashesFor(key: KeyObject, stated: string | undefined): readonly (string | null)[] {
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const usual = HASHES_OF_CURVES.get(key.asymmetricKeyDetails?.namedCurve ?? '') ?? [];
      return usual.length === 0 || stated === undefined ? usual : [stated];
    }
    case 'rsa':
      return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS ? [stated ?? 'sha256'] : [];
    case 'ed25519':
      return [null];
    default:
      return [];
  }
}

/** The bytes of an envelope that DSSE signs. https://github.com/secure-systems-lab/dsse/blob/master/protocol.md */
function preAuthenticated(payloadType: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/**
 * Returns what a bundle signs, in the form in which it is verified: by keys of the kinds that clients of Sigstore make, and
 * with the hash that goes with each. Throws `Untrusted` if a bundle names what it signs, but signs something else.
 */
export function signedContent(
  content: Bundle['content'],
  artifact: Buffer | undefined,
  known: SignatureContent,
): SignatureContent {
  const { bytes, stated } = readContent(content, artifact);
  return {
    signature: known.signature,
    compareSignature: (signature) => known.compareSignature(signature),
    compareDigest: (digest) => known.compareDigest(digest),
    compareSignedDigest: (digest) =>
      ['sha256', 'sha384', 'sha512'].some((hash) => createHash(hash).update(bytes).digest().equals(digest)),
    verifySignature: (key) =>
      hashesFor(key, stated).some((hash) => verify(hash, bytes, key, known.signature)),
  };
}

function readContent(
  content: Bundle['content'],
  artifact: Buffer | undefined,
): { readonly bytes: Buffer; readonly stated: string | undefined } {
  // A bundle with both kinds of content could be read in one way here and in another way there.
  if ((content.$case === 'messageSignature') !== (artifact !== undefined)) {
    throw new Untrusted('it can be read as two different signatures');
  }
  if (content.$case === 'dsseEnvelope') {
    const { payloadType, payload } = content.dsseEnvelope;
    return { bytes: preAuthenticated(payloadType, payload), stated: undefined };
  }
  const { messageDigest } = content.messageSignature;
  const stated = HASHES.get(messageDigest.algorithm);
  const bytes = artifact ?? Buffer.alloc(0);
  if (stated === undefined || !createHash(stated).update(bytes).digest().equals(messageDigest.digest)) {
    throw new Untrusted('it does not match what it signs');
  }
  return { bytes, stated };
}
