import type { SignaturePolicies, Signer } from '../config/signature-policy.ts';
import { Failure } from '../lib/failure.ts';
import { joinWords } from '../lib/text/sentence.ts';
import type { FoundSigner } from './sigstore-verifier.ts';

/** What is known of the signature of an image. */
export type SignatureVerdict =
  /** The policy asks for none. */
  | { readonly kind: 'exempt' }
  | (FoundSigner & {
      readonly kind: 'verified';
      readonly form: 'cosign' | 'bundle';
      /** Changes with the policy that it was verified against. */
      readonly policy: string;
    })
  | { readonly kind: 'unverified'; readonly failure: Failure };

/** Why no signature of an image counts. */
export type Refusal =
  | { readonly kind: 'missing' }
  /** What is wrong with each, as the end of a sentence. */
  | { readonly kind: 'refused'; readonly reasons: readonly string[] };

function describeSigner({ identity, issuer }: FoundSigner): string {
  return `${identity} (${issuer})`;
}

const REASONS_TOLD = 4;

/** Returns the failure of an image whose signature is missing or does not count. */
export function signatureFailure(about: string, refusal: Refusal, signers: readonly Signer[]): Failure {
  const wanted = `wanted is one by ${joinWords(signers.map(describeSigner), 'or')}`;
  if (refusal.kind === 'missing') {
    return new Failure({
      code: 'SIGNATURE_MISSING',
      about,
      message: `it has no signature; ${wanted}`,
      hint: 'take a release that is signed, or write "off" for its name under "signatures"',
    });
  }
  const { reasons } = refusal;
  const told = [...new Set(reasons)];
  const some = told.length > REASONS_TOLD ? [...told.slice(0, REASONS_TOLD), 'and so on'] : told;
  const subject =
    reasons.length === 1 ? 'its signature does' : `none of its ${reasons.length} signatures does`;
  return new Failure({
    code: 'SIGNATURE_REFUSED',
    about,
    message: `${subject}${reasons.length === 1 ? ' not' : ''} count: ${some.join('; ')}; ${wanted}`,
    hint: 'find out why before you use this image; where the signer is right, name them under "signatures"',
  });
}

/** What is wrong with a signature that is by someone else. */
export function byAnother(signer: FoundSigner): string {
  return `it is by ${describeSigner(signer)}`;
}

/** Returns the failure of an image of which nobody said who signs it; `file` is where that belongs. */
export function policyFailure(about: string, host: string, file: string): Failure {
  return new Failure({
    code: 'SIGNATURE_POLICY_MISSING',
    about,
    message: `who signs the images of ${host} is not said`,
    hint: `add to ${file} "signatures": {"${host}/…": {"identity": "…", "issuer": "…"}}, or "${host}": "off"`,
  });
}

export type AppliedPolicy = SignaturePolicies[number];
