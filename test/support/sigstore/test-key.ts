import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** The kinds of keys that clients of Sigstore make. */
export type KeyKind =
  | 'P-256'
  | 'P-384'
  | 'P-521'
  | 'Ed25519'
  | 'RSA-1024'
  | 'RSA-2048'
  | 'RSA-3072'
  | 'RSA-4096';

export type HashName = 'sha256' | 'sha384' | 'sha512';

/** The hash that usually goes with a kind of key. */
const HASHES: Readonly<Partial<Record<KeyKind, HashName>>> = { 'P-384': 'sha384', 'P-521': 'sha512' };

const SLOW_TO_MAKE = new Map<KeyKind, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>();

function makeKeys(kind: KeyKind): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  switch (kind) {
    case 'P-256':
    case 'P-384':
    case 'P-521':
      return generateKeyPairSync('ec', { namedCurve: kind });
    case 'Ed25519':
      return generateKeyPairSync('ed25519');
    default: {
      const known = SLOW_TO_MAKE.get(kind);
      if (known !== undefined) return known;
      const made = generateKeyPairSync('rsa', { modulusLength: Number(kind.slice('RSA-'.length)) });
      SLOW_TO_MAKE.set(kind, made);
      return made;
    }
  }
}

/** A pair of keys that signs. */
export class TestKey {
  readonly kind: KeyKind;
  readonly hash: HashName;
  /** The public key as certificates have it. */
  readonly spki: Buffer;
  readonly #private: KeyObject;

  constructor(kind: KeyKind, hash?: HashName) {
    const { publicKey, privateKey } = makeKeys(kind);
    this.kind = kind;
    this.hash = hash ?? HASHES[kind] ?? 'sha256';
    this.spki = publicKey.export({ format: 'der', type: 'spki' });
    this.#private = privateKey;
  }

  sign(bytes: Buffer): Buffer {
    return sign(this.kind === 'Ed25519' ? null : this.hash, bytes, this.#private);
  }
}
