// Loads some 40 modules; only trusted-root.ts imports it, when a signature is to be verified.
import { type Bundle, bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import type { Signer } from '../config/signature-policy.ts';
import type { Candidate } from './candidate.ts';

/** Whom a certificate names, and who vouched for that. */
export type FoundSigner = Pick<Signer, 'identity' | 'issuer'>;

/** Of one signature; real ones have one or two. Entries are compared with each other, and each costs a verification. */
const PROOFS_LIMIT = 8;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Z}]/u;
const CHECKPOINT_LIMIT = 16_384;
/** What signs a checkpoint, as the library looks for it: it takes the name for a regular expression, which may never end. */
const CHECKPOINT_SIGNER = /^[\w./:-]{1,200}$/;

/** Verifies signatures against one trusted root, without a network. */
export class SigstoreVerifier {
  readonly #verifier: Verifier;

  /** `root` is the JSON of a trusted_root.json. Throws what is wrong with it. */
  constructor(root: unknown) {
    const parsed = TrustedRoot.fromJSON(root);
    const { tlogs, certificateAuthorities, ctlogs } = parsed;
    if (tlogs.length === 0 || certificateAuthorities.length === 0 || ctlogs.length === 0) {
      throw new Error('it has no certificate authority, no log of certificates or no log of signatures');
    }
    const thresholds = { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 };
    this.#verifier = new Verifier(toTrustMaterial(parsed), thresholds);
  }

  /**
   * Returns who made a signature, proved by a certificate that was valid then, its log, and the log of signatures; who that
   * should be is another question. Throws what does not hold.
   */
  verify({ bundle, artifact }: Candidate): FoundSigner {
    const parsed = bundleFromJSON(bundle);
    refuseUnreasonable(parsed);
    // A bundle that says both could be read as one thing here and as another there.
    const signsBytes = parsed.content.$case === 'messageSignature';
    if (signsBytes !== (artifact !== undefined)) throw new Error('it signs something else than it seems to');
    // Without a policy: the library takes the wanted name for a regular expression that may match anywhere.
    const { identity } = this.#verifier.verify(toSignedEntity(parsed, artifact));
    const name = identity?.subjectAlternativeName;
    const issuer = identity?.extensions?.issuer;
    if (name === undefined || issuer === undefined) throw new Error('it names nobody');
    if (UNSEEN.test(name + issuer)) throw new Error('it names somebody with characters that nobody sees');
    return { identity: name, issuer };
  }
}

/** Refuses what no real bundle has and what would keep the verification busy for long. */
function refuseUnreasonable({ verificationMaterial }: Bundle): void {
  const { tlogEntries, timestampVerificationData } = verificationMaterial;
  const proofs = [tlogEntries, timestampVerificationData?.rfc3161Timestamps ?? []];
  if (proofs.some(({ length }) => length > PROOFS_LIMIT))
    throw new Error('it has more proofs than any real one');
  for (const { inclusionProof } of tlogEntries) {
    const checkpoint = inclusionProof?.checkpoint?.envelope ?? '';
    const signers = [...checkpoint.slice(0, CHECKPOINT_LIMIT).matchAll(/\u2014 (\S+)/g)].map(
      ([, name = '']) => name,
    );
    const isOdd =
      checkpoint.length > CHECKPOINT_LIMIT ||
      signers.length > PROOFS_LIMIT ||
      signers.some((name) => !CHECKPOINT_SIGNER.test(name));
    if (isOdd) throw new Error('it has a checkpoint that no log makes');
  }
}
