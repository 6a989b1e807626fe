import { createHash } from 'node:crypto';
import { setImmediate as otherWork } from 'node:timers/promises';
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
import { joinWords } from '../lib/text/sentence.ts';
import type { Digest } from '../registry/oci/digest.ts';
import type { Tag } from '../registry/oci/reference.ts';
import { type Candidate, shown } from './candidate.ts';
import { findSignatures, type SignaturePlace } from './signature-search.ts';
import { compareNames, nameWhenSigned, type RepositoryName } from './signed-name.ts';
import type { FoundSigner } from './signer-certificate.ts';
import type { SigstoreVerifier } from './sigstore-verifier.ts';
import { openVerifier } from './trusted-root.ts';
import { Untrusted } from './untrusted.ts';
import {
  type AppliedPolicy,
  byAnother,
  policyFailure,
  type Reason,
  type SignatureVerdict,
  signatureFailure,
  unnamed,
} from './verdict.ts';

/** An image whose signature is wanted. */
interface SignedImage {
  /** Its name upstream, to which a policy applies. */
  readonly name: RepositoryName;
  /** The tag that is asked for; undefined for a digest. */
  readonly tag: Tag | undefined;
  /** Its name for people. */
  readonly about: string;
  /** Its digests. Any of them may be the one that was signed; the likeliest is first. */
  readonly digests: readonly Digest[];
  /** Where signatures may be, the likeliest first. */
  readonly places: readonly SignaturePlace[];
}

/** What the policies require of a repository: they do not mention it, it needs no signature, or it is verified. */
type Stance =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'off' }
  /** `policy` is as in a verdict. */
  | { readonly kind: 'signed'; readonly policy: string };

/** A signature that is accepted for an image under some tags; under any tag if undefined. */
interface Accepted extends FoundSigner {
  readonly form: Candidate['form'];
  readonly tags: readonly string[] | undefined;
}

/** What is known about the signatures of a digest in a repository. */
interface Findings {
  readonly accepted: readonly Accepted[];
  /** Why others are not accepted. */
  readonly reasons: readonly Reason[];
  /** Why others could not be fetched. Each may be one that would be accepted. */
  readonly unread: readonly unknown[];
  /** Whether there may be more, which were not read. */
  readonly hasRest: boolean;
  /** Whether the search came to its end. */
  readonly isWhole: boolean;
}

/** Raised when something that was accepted before no longer is: then recorded verdicts are no longer used. */
const RULES = 2;

const OUTCOMES_KEPT = 10_000;

/** What signatures are verified against. */
interface SignatureSettings {
  readonly policies: SignaturePolicies;
  /** Path of a trusted_root.json; undefined for Sigstore's public one. */
  readonly trustedRoot: string | undefined;
  /** The file with the policies, for messages. */
  readonly file: string;
}

/** Verifies signatures of images, each digest of a repository once a run. */
export class SignatureCheck {
  readonly #policies: SignaturePolicies;
  readonly #trustedRoot: string | undefined;
  readonly #file: string;
  readonly #known = new SingleFlight<string, Findings>({ results: OUTCOMES_KEPT });
  #verifier: Promise<SigstoreVerifier> | undefined;
  /** The digest of a trusted root that was given. */
  #rootDigest: Digest | undefined;

  private constructor({ policies, trustedRoot, file }: SignatureSettings) {
    this.#policies = policies;
    this.#trustedRoot = trustedRoot;
    this.#file = file;
  }

  /**
   * Returns the check of signatures; undefined if they are not verified. A trusted root that was given is read now. Throws
   * `TRUSTED_ROOT_MALFORMED`.
   */
  static async open(
    wanted: VerificationMode,
    settings: SignatureSettings,
    signal: AbortSignal,
  ): Promise<SignatureCheck | undefined> {
    if (wanted === 'off') return undefined;
    const check = new SignatureCheck(settings);
    if (settings.trustedRoot !== undefined) check.#rootDigest = (await check.#open(signal)).rootDigest;
    return check;
  }

  /** Returns what the policies require of an image, without a request. */
  stanceOn(image: Pick<SignedImage, 'name' | 'tag'>): Stance {
    const applied = policyFor(this.#policies, image.name);
    if (applied === undefined) return { kind: 'unknown' };
    return applied.policy.kind === 'off'
      ? { kind: 'off' }
      : { kind: 'signed', policy: this.#digestOfPolicy(applied, image) };
  }

  /** Returns the failure of an image for which there is no policy; undefined if there is one. */
  missingPolicy({ name, about }: Pick<SignedImage, 'name' | 'about'>): Failure | undefined {
    if (policyFor(this.#policies, name) !== undefined) return undefined;
    return policyFailure(about, name.host, this.#file);
  }

  /** Verifies the signature of an image. An error that prevents it is the reason why the image is unverified. */
  async check(image: SignedImage, signal: AbortSignal): Promise<SignatureVerdict> {
    const applied = policyFor(this.#policies, image.name);
    if (applied === undefined) {
      return { kind: 'unverified', failure: policyFailure(image.about, image.name.host, this.#file) };
    }
    if (applied.policy.kind === 'off') return { kind: 'exempt' };
    const { signers } = applied.policy;
    const key = `${image.name.host}/${image.name.repository} ${image.digests.join(' ')}`;
    try {
      const search = () => this.#search(image, applied, signers, signal);
      let findings = await this.#known.get(key, search);
      if (signatureFor(image, findings) === undefined && !findings.isWhole) {
        findings = await this.#known.get(`${key} ${image.tag}`, search);
      }
      const found = signatureFor(image, findings);
      if (found === undefined) {
        const measure = { signers, trustedRoot: this.#trustedRoot };
        return { kind: 'unverified', failure: refusalOf(image, findings, measure) };
      }
      const { identity, issuer, form } = found;
      return { kind: 'verified', identity, issuer, form, policy: this.#digestOfPolicy(applied, image) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      return { kind: 'unverified', failure: error };
    }
  }

  /** Ends at the first signature that is accepted for the tag. */
  async #search(
    image: SignedImage,
    applied: AppliedPolicy,
    signers: readonly Signer[],
    signal: AbortSignal,
  ): Promise<Findings> {
    const verifier = await this.#open(signal);
    const accepted: Accepted[] = [];
    const reasons: Reason[] = [];
    const unread: unknown[] = [];
    let hasRest = false;
    for (const digest of image.digests) {
      for (const place of image.places) {
        for await (const found of findSignatures(place, digest, signal)) {
          // Each verification takes some milliseconds, in which no timeout fires and no Ctrl-C is noticed.
          await otherWork();
          signal.throwIfAborted();
          if (found.kind === 'rest') hasRest = true;
          else if (found.kind === 'unread') unread.push(found.error);
          else if (found.kind === 'unfit') reasons.push({ text: found.reason });
          else {
            const judged = judge(found, { verifier, signers, name: image.name, digest, applied });
            if ('text' in judged) reasons.push(judged);
            else {
              const one = { ...judged, form: found.form };
              accepted.push(one);
              if (countsFor(image, one)) return { accepted, reasons, unread, hasRest, isWhole: false };
            }
          }
        }
      }
    }
    // A signature that could not be fetched may be the right one, and may be there the next time.
    if (accepted.length === 0 && unread.length > 0) throw unread[0];
    return { accepted, reasons, unread, hasRest, isWhole: true };
  }

  /** Returns a text that changes with everything that a verdict about an image depends on, except its digest. */
  #digestOfPolicy(
    { scope, policy }: AppliedPolicy,
    { name, tag }: Pick<SignedImage, 'name' | 'tag'>,
  ): string {
    // A signature names its image, so a verdict is also about that name.
    const image = [name.host, name.repository, tag];
    const text = JSON.stringify([RULES, this.#rootDigest, formatScope(scope), policy, image]);
    return createHash('sha256').update(text).digest('hex').slice(0, 12);
  }

  #open(signal: AbortSignal): Promise<SigstoreVerifier> {
    this.#verifier ??= openVerifier(this.#trustedRoot, signal);
    return this.#verifier;
  }
}

function countsFor({ tag }: SignedImage, { tags }: Accepted): boolean {
  return tags === undefined || tag === undefined || tags.includes(tag);
}

function signatureFor(image: SignedImage, { accepted }: Findings): Accepted | undefined {
  return accepted.find((one) => countsFor(image, one));
}

/** Returns why no signature is accepted for the tag of an image. Throws the error if one could not be fetched. */
function refusalOf(
  image: SignedImage,
  findings: Findings,
  { signers, trustedRoot }: { readonly signers: readonly Signer[]; readonly trustedRoot: string | undefined },
): Failure {
  const { accepted, unread } = findings;
  if (unread.length > 0) throw unread[0];
  const reasons = [
    ...findings.reasons,
    ...accepted.map(({ tags = [] }) => ({ text: `it was signed ${forTags(tags)}, not for ${image.tag}` })),
  ];
  return signatureFailure(image.about, { reasons, hasRest: findings.hasRest, trustedRoot }, signers);
}

const TAGS_TOLD = 3;

function forTags(tags: readonly string[]): string {
  const told = [...new Set(tags)].slice(0, TAGS_TOLD).map((tag) => shown(tag, 128));
  return told.length === 0 ? 'with names that have no tag in common' : `for ${joinWords(told, 'and')}`;
}

interface Measure {
  readonly verifier: SigstoreVerifier;
  readonly signers: readonly Signer[];
  readonly name: RepositoryName;
  readonly digest: Digest;
  readonly applied: AppliedPolicy;
}

/** Returns who signed and for which tags, or why the signature is not accepted. */
function judge(
  candidate: Candidate,
  { verifier, signers, name, digest, applied }: Measure,
): Omit<Accepted, 'form'> | Reason {
  let signer: FoundSigner;
  try {
    signer = verifier.verify(candidate);
  } catch (error) {
    return { text: explain(error), isOfAnotherRoot: UNKNOWN_TO_ROOT.has(failureCode(error)) || undefined };
  }
  const wanted = signers.filter((one) => isSigner(one, signer));
  if (wanted.length === 0) return { text: byAnother(signer, signers) };
  const reasons: Reason[] = [];
  for (const { signedAs, acceptUnnamed = false } of wanted) {
    const expected = nameWhenSigned(name, applied.scope, signedAs);
    const compared = compareNames(candidate.names, expected, digest);
    if (compared.kind === 'same') return { ...signer, tags: compared.tags };
    if (compared.kind === 'unnamed' && acceptUnnamed) return { ...signer, tags: compared.tags };
    reasons.push(
      compared.kind === 'unnamed'
        ? unnamed(compared.text)
        : { text: `it was signed as ${shown(compared.signedAs)}, not as ${expected}` },
    );
  }
  return reasons[0] ?? { text: byAnother(signer, signers) };
}

const EXPLANATIONS: ReadonlyMap<string, string> = new Map([
  [
    'CERTIFICATE_ERROR',
    'its certificate was not valid when it was made, or was not issued by a trusted authority',
  ],
  ['PUBLIC_KEY_ERROR', 'it was made with a key, which does not name a signer'],
  ['SIGNATURE_ERROR', 'it does not match what it signs'],
  ['TIMESTAMP_ERROR', 'no trusted source shows when it was made'],
  ['TLOG_ERROR', 'it is in no log'],
  ['TLOG_BODY_ERROR', 'its entry in the log is for something else'],
  ['TLOG_INCLUSION_PROOF_ERROR', 'it is not in a trusted log'],
  ['TLOG_INCLUSION_PROMISE_ERROR', 'it is not in a trusted log'],
  ['TLOG_MISSING_INCLUSION_ERROR', 'it has no proof that it is in a log'],
]);

/** The errors of a signature from another Sigstore than that of the trusted root. */
const UNKNOWN_TO_ROOT: ReadonlySet<string> = new Set([
  'CERTIFICATE_ERROR',
  'TIMESTAMP_ERROR',
  'TLOG_INCLUSION_PROOF_ERROR',
  'TLOG_INCLUSION_PROMISE_ERROR',
]);

function explain(error: unknown): string {
  if (error instanceof Untrusted) return error.message;
  const known = EXPLANATIONS.get(failureCode(error));
  return known ?? `it is malformed (${error instanceof Error ? shown(error.message, 100) : 'unknown'})`;
}
