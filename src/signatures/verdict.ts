import type { SignaturePolicies, Signer } from '../config/signature-policy.ts';
import { isIdentity, isNearly } from '../config/signer-identity.ts';
import { Failure } from '../lib/failure.ts';
import { joinWords } from '../lib/text/sentence.ts';
import { shown } from './candidate.ts';
import type { FoundSigner } from './signer-certificate.ts';

/** What is known about the signature of an image. */
export type SignatureVerdict =
  /** The policy requires none. */
  | { readonly kind: 'exempt' }
  | (Pick<FoundSigner, 'identity' | 'issuer'> & {
      readonly kind: 'verified';
      readonly form: 'cosign' | 'bundle';
      /** Changes with the policy that it was verified against. */
      readonly policy: string;
    })
  | { readonly kind: 'unverified'; readonly failure: Failure };

/** Why a signature is not accepted. */
export interface Reason {
  /** As the end of a sentence. */
  readonly text: string;
  /** Whether it is valid and of a required signer, and only lacks the name of the image. */
  readonly isUnnamed?: true | undefined;
  /** Whether the trusted root does not contain the authority that certified it, or its log. */
  readonly isOfAnotherRoot?: true | undefined;
}

function describeSigner({ identity, issuer }: Pick<FoundSigner, 'identity' | 'issuer'>): string {
  return `${identity} (${issuer})`;
}

const REASONS_TOLD = 4;

const ACCEPT_UNNAMED =
  'find a signature that names its image; if this signer never names one and you trust everything that they sign, write ' +
  '"acceptUnnamed": true next to their identity under "signatures"';

/** Returns the failure of an image without a signature; `reasons` are why those that it has are not accepted. */
export function signatureFailure(
  about: string,
  {
    reasons,
    hasRest,
    trustedRoot,
  }: {
    readonly reasons: readonly Reason[];
    readonly hasRest: boolean;
    /** Path of the trusted root that was given. */
    readonly trustedRoot?: string | undefined;
  },
  signers: readonly Signer[],
): Failure {
  const wanted = `the policy requires one by ${joinWords(signers.map(describeSigner), 'or')}`;
  if (reasons.length === 0) {
    return new Failure({
      code: 'SIGNATURE_MISSING',
      about,
      message: `it has no signature; ${wanted}`,
      hint: 'use a release that is signed, or write "off" for its name under "signatures"',
    });
  }
  const told = [...new Set(reasons.map(({ text }) => text))];
  const some = told.length > REASONS_TOLD ? [...told.slice(0, REASONS_TOLD), 'and so on'] : told;
  const looked = hasRest ? `the first ${reasons.length} of its` : `its ${reasons.length}`;
  const verdict =
    reasons.length === 1 ? 'its signature is not accepted' : `none of ${looked} signatures is accepted`;
  return new Failure({
    code: 'SIGNATURE_REFUSED',
    about,
    message: `${verdict}: ${some.join('; ')}; ${wanted}`,
    hint: hintFor(reasons, trustedRoot),
  });
}

function hintFor(reasons: readonly Reason[], trustedRoot: string | undefined): string {
  if (reasons.some(({ isUnnamed }) => isUnnamed)) return ACCEPT_UNNAMED;
  if (!reasons.every(({ isOfAnotherRoot }) => isOfAnotherRoot)) {
    return 'find out why before you use this image; if the signer is right, name them under "signatures"';
  }
  return trustedRoot === undefined
    ? `find out why before you use this image; if it was signed at another Sigstore than the public one, set its trusted root with ${ROOT_FLAG}`
    : `find out why before you use this image; if it was signed at another Sigstore than that of ${shown(trustedRoot, 300)}, set its trusted root with ${ROOT_FLAG}`;
}

const ROOT_FLAG = '--trusted-root, in a workflow trusted-root';

/** The reason against a signature of a required signer that names no image; `text` is what it names instead, or empty. */
export function unnamed(text: string): Reason {
  const named = text === '' ? '' : `, only ${shown(text, 100)}`;
  return { text: `it names no image${named}, and is accepted only with "acceptUnnamed"`, isUnnamed: true };
}

/** The reason against a signature that is by none of these signers. */
export function byAnother(signer: FoundSigner, wanted: readonly Signer[]): string {
  const near = wanted.find(
    ({ issuer, identity }) => issuer === signer.issuer && isNearly(identity, signer.identity),
  );
  const stars = near === undefined ? '' : `, and "*" in ${near.identity} matches neither "/" nor "@"`;
  return `${describeAnother(signer)}${stars || likeOf(signer, wanted)}`;
}

/** Returns the small difference from a required signer, which is hard to see in a long line; empty if it is larger. */
function likeOf(signer: FoundSigner, wanted: readonly Signer[]): string {
  const isLike = (one: Signer, form: (text: string) => string): boolean =>
    form(one.issuer) === form(signer.issuer) && isIdentity(form(one.identity), form(signer.identity));
  if (wanted.some((one) => isLike(one, String))) return '';
  if (wanted.some((one) => isLike(one, withoutSlash))) {
    return ', and only the "/" at the end of its issuer differs from the policy';
  }
  return wanted.some((one) => isLike(one, (text) => text.toLowerCase()))
    ? ', and only upper and lower case differ from the policy'
    : '';
}

function withoutSlash(address: string): string {
  return address.replace(/\/$/, '');
}

function describeAnother(signer: FoundSigner): string {
  const { identityKind } = signer;
  const seems = signer.identity.includes('://') ? 'uri' : 'email';
  // A certificate has room for names of many kilobytes.
  const identity = shown(signer.identity, 300);
  const issuer = shown(signer.issuer, 300);
  if (identityKind === seems) return `it is by ${describeSigner({ identity, issuer })}`;
  const kind = identityKind === 'uri' ? 'a URI' : 'an e-mail address';
  return `it is by ${identity}, which is ${kind} in its certificate (${issuer})`;
}

/** Returns the failure of an image without a policy that names its signer; `file` is the file where the policy belongs. */
export function policyFailure(about: string, host: string, file: string): Failure {
  return new Failure({
    code: 'SIGNATURE_POLICY_MISSING',
    about,
    message: `no policy names the signer of the images of ${host}`,
    hint: `add to ${file} "signatures": {"${host}/…": {"identity": "…", "issuer": "…"}}, or "${host}": "off"`,
  });
}

export type AppliedPolicy = SignaturePolicies[number];
