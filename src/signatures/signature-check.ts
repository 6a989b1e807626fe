import { createHash } from 'node:crypto';
import type { VerificationMode } from '../config/flags/signature-flags.ts';
import {
  formatScope,
  isSigner,
  policyFor,
  type SignaturePolicies,
  type Signer,
} from '../config/signature-policy.ts';
import { Failure, failureCode } from '../lib/failure.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import type { Digest } from '../registry/oci/digest.ts';
import { type Candidate, shown } from './candidate.ts';
import { findSignatures, type SignaturePlace } from './signature-search.ts';
import { isNameOf, nameWhenSigned, type RepositoryName } from './signed-name.ts';
import type { FoundSigner, SigstoreVerifier } from './sigstore-verifier.ts';
import { openVerifier } from './trusted-root.ts';
import {
  type AppliedPolicy,
  byAnother,
  policyFailure,
  type Refusal,
  type SignatureVerdict,
  signatureFailure,
} from './verdict.ts';

/** An image whose signature is wanted. */
interface SignedImage {
  /** Under which its maker knows it, and to which a policy applies. */
  readonly name: RepositoryName;
  /** As people know it. */
  readonly about: string;
  /** Any of which may be the one that was signed, the likeliest first. */
  readonly digests: readonly Digest[];
  /** Where signatures may be, the likeliest first. */
  readonly places: readonly SignaturePlace[];
}

/** What policies say of a repository: nothing, that it needs no signature, or under what it is verified. */
type Stance =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'off' }
  /** `policy` is as in a verdict. */
  | { readonly kind: 'signed'; readonly policy: string };

type Outcome = (FoundSigner & { readonly kind: 'verified'; readonly form: Candidate['form'] }) | Refusal;

const OUTCOMES_KEPT = 10_000;

/** What signatures are verified by. */
interface SignatureSettings {
  readonly policies: SignaturePolicies;
  /** Path of a trusted_root.json; Sigstore's public one without. */
  readonly trustedRoot: string | undefined;
  /** Where policies stand, for messages. */
  readonly file: string;
}

/** Verifies signatures of images, each digest of a repository once a run. */
export class SignatureCheck {
  readonly #policies: SignaturePolicies;
  readonly #trustedRoot: string | undefined;
  readonly #file: string;
  readonly #known = new SingleFlight<string, Outcome>({ results: OUTCOMES_KEPT });
  #verifier: Promise<SigstoreVerifier> | undefined;

  private constructor({ policies, trustedRoot, file }: SignatureSettings) {
    this.#policies = policies;
    this.#trustedRoot = trustedRoot;
    this.#file = file;
  }

  /**
   * Returns what verifies signatures; undefined where none are wanted. A trusted root that was given is read now. Throws
   * `TRUSTED_ROOT_MALFORMED`.
   */
  static async open(
    wanted: VerificationMode,
    settings: SignatureSettings,
  ): Promise<SignatureCheck | undefined> {
    if (wanted === 'off') return undefined;
    const check = new SignatureCheck(settings);
    if (settings.trustedRoot !== undefined) await check.#open();
    return check;
  }

  /** Returns what the policies say of a repository, without asking anyone. */
  stanceOn(name: RepositoryName): Stance {
    const applied = policyFor(this.#policies, name);
    if (applied === undefined) return { kind: 'unknown' };
    return applied.policy.kind === 'off'
      ? { kind: 'off' }
      : { kind: 'signed', policy: digestOfPolicy(applied) };
  }

  /** Returns the failure of an image for which there is no policy; undefined where there is one. */
  missingPolicy({ name, about }: Pick<SignedImage, 'name' | 'about'>): Failure | undefined {
    if (policyFor(this.#policies, name) !== undefined) return undefined;
    return policyFailure(about, name.host, this.#file);
  }

  /** Finds out about the signature of an image; what keeps it from being found out is why it is not verified. */
  async check(image: SignedImage, signal: AbortSignal): Promise<SignatureVerdict> {
    const applied = policyFor(this.#policies, image.name);
    if (applied === undefined) {
      return { kind: 'unverified', failure: policyFailure(image.about, image.name.host, this.#file) };
    }
    if (applied.policy.kind === 'off') return { kind: 'exempt' };
    const { signers } = applied.policy;
    const key = `${image.name.host}/${image.name.repository} ${image.digests.join(' ')}`;
    try {
      const outcome = await this.#known.get(key, () => this.#search(image, applied, signers, signal));
      if (outcome.kind === 'verified') return { ...outcome, policy: digestOfPolicy(applied) };
      return { kind: 'unverified', failure: signatureFailure(image.about, outcome, signers) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      return { kind: 'unverified', failure: error };
    }
  }

  async #search(
    image: SignedImage,
    applied: AppliedPolicy,
    signers: readonly Signer[],
    signal: AbortSignal,
  ): Promise<Outcome> {
    const verifier = await this.#open();
    const reasons: string[] = [];
    const unread: unknown[] = [];
    for (const digest of image.digests) {
      for (const place of image.places) {
        for await (const found of findSignatures(place, digest, signal)) {
          if (found.kind === 'unread') unread.push(found.error);
          else if (found.kind === 'unfit') reasons.push(found.reason);
          else {
            const judged = judge(found, { verifier, signers, name: image.name, applied });
            if (typeof judged !== 'string') return { ...judged, kind: 'verified', form: found.form };
            reasons.push(judged);
          }
        }
      }
    }
    // What could not be had may have been the right one.
    if (unread.length > 0) throw unread[0];
    return reasons.length === 0 ? { kind: 'missing' } : { kind: 'refused', reasons };
  }

  #open(): Promise<SigstoreVerifier> {
    this.#verifier ??= openVerifier(this.#trustedRoot);
    return this.#verifier;
  }
}

interface Measure {
  readonly verifier: SigstoreVerifier;
  readonly signers: readonly Signer[];
  readonly name: RepositoryName;
  readonly applied: AppliedPolicy;
}

/** Returns who signed, or why that does not count as the end of a sentence. */
function judge(candidate: Candidate, { verifier, signers, name, applied }: Measure): FoundSigner | string {
  let signer: FoundSigner;
  try {
    signer = verifier.verify(candidate);
  } catch (error) {
    return explain(error);
  }
  const wanted = signers.filter((one) => isSigner(one, signer));
  if (wanted.length === 0) return byAnother(signer);
  const { signedName } = candidate;
  if (signedName === undefined) return signer;
  const names = wanted.map(({ signedAs }) => nameWhenSigned(name, applied.scope, signedAs));
  if (names.some((one) => isNameOf(signedName, one))) return signer;
  return `it was signed as ${shown(signedName) || 'nothing'}, not as ${names[0]}`;
}

const EXPLANATIONS: ReadonlyMap<string, string> = new Map([
  ['CERTIFICATE_ERROR', 'its certificate was not valid when it was made, or is of no trusted authority'],
  ['PUBLIC_KEY_ERROR', 'it was made with a key, which names nobody'],
  ['SIGNATURE_ERROR', 'it does not fit what it signs'],
  ['TIMESTAMP_ERROR', 'nothing that is trusted tells when it was made'],
  ['TLOG_ERROR', 'it is in no log'],
  ['TLOG_BODY_ERROR', 'its entry in the log is of something else'],
  ['TLOG_INCLUSION_PROOF_ERROR', 'it is not in a trusted log'],
  ['TLOG_INCLUSION_PROMISE_ERROR', 'it is not in a trusted log'],
  ['TLOG_MISSING_INCLUSION_ERROR', 'nothing proves that it is in a log'],
]);

function explain(error: unknown): string {
  const known = EXPLANATIONS.get(failureCode(error));
  return known ?? `it is malformed (${error instanceof Error ? shown(error.message, 100) : 'unknown'})`;
}

function digestOfPolicy({ scope, policy }: AppliedPolicy): string {
  const text = JSON.stringify([formatScope(scope), policy]);
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
