import type { VerificationMode } from '../../config/flags/signature-flags.ts';
import { describeFailure, Failure } from '../../lib/failure.ts';
import { formatReference, type Host, type Reference } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { SignatureCheck } from '../../signatures/signature-check.ts';
import type { PackagePlan } from '../plan/plan.ts';
import type { LocatedImage } from './image-lookup.ts';
import { jointFailure } from './joint-failure.ts';
import type { MakerRegistries } from './maker-registries.ts';

/** Who signed an image, or why no signature of it is trusted. */
export type ImageSignature =
  | { readonly kind: 'verified'; readonly identity: string; readonly issuer: string }
  | { readonly kind: 'unverified'; readonly reason: string };

/**
 * Refuses a plan with images for which no policy says who signs them, if a signature is required. Throws
 * `SIGNATURE_POLICY_MISSING`, several together as `IMAGES_FAILED`.
 */
export function requirePolicies(plan: PackagePlan, check: SignatureCheck): void {
  const failures = plan.images.flatMap(({ upstream }) => {
    return check.missingPolicy({ name: upstream, about: formatReference(upstream) }) ?? [];
  });
  if (failures.length === 0) return;
  throw jointFailure(
    failures.map((error) => ({ error })),
    {
      code: 'IMAGES_FAILED',
      about: 'images',
      message: `${failures.length} of ${plan.images.length} have no policy that names their signers`,
      noun: 'image',
      total: plan.images.length,
    },
  );
}

/** Verifies signatures of images, which it looks for where they are pulled from and upstream. */
export class ImageVerification {
  readonly #mode: VerificationMode;
  readonly #check: SignatureCheck;
  readonly #registries: Registries;
  readonly #makers: MakerRegistries;

  constructor(parts: {
    readonly mode: VerificationMode;
    readonly check: SignatureCheck;
    readonly registries: Registries;
    readonly makers: MakerRegistries;
  }) {
    this.#mode = parts.mode;
    this.#check = parts.check;
    this.#registries = parts.registries;
    this.#makers = parts.makers;
  }

  /** Returns the policy by which signatures of an image are verified; undefined if there is none. */
  policyOf(image: Pick<LocatedImage, 'upstream'>): string | undefined {
    const stance = this.#check.stanceOn(named(image.upstream));
    return stance.kind === 'signed' ? stance.policy : undefined;
  }

  /**
   * Returns who signed an image; undefined if no signature is wanted. If one is required, throws why none is trusted.
   */
  async verify(image: LocatedImage, signal: AbortSignal): Promise<ImageSignature | undefined> {
    const { upstream, pulledBy, index, manifest } = image;
    const about = formatReference(upstream);
    if (this.#check.stanceOn(named(upstream)).kind === 'off') return undefined;
    const { host, repository } = pulledBy;
    const own = { registry: this.#registries.at(host), repository };
    const isOwn = host === upstream.host && repository === upstream.repository;
    const trouble = isOwn ? undefined : await this.#makers.trouble(upstream.host, signal);
    const maker = { registry: this.#makers.at(upstream.host), repository: upstream.repository };
    const signed = {
      ...named(upstream),
      about,
      digests: index === undefined ? [manifest.digest] : [index, manifest.digest],
      places: isOwn || trouble !== undefined ? [own] : [own, maker],
    };
    const verdict = await this.#check.check(signed, signal);
    if (verdict.kind === 'exempt') return undefined;
    if (verdict.kind === 'verified') {
      return { kind: 'verified', identity: verdict.identity, issuer: verdict.issuer };
    }
    const failure = trouble === undefined ? verdict.failure : unasked(verdict.failure, host, trouble);
    if (this.#mode === 'require') throw failure;
    return { kind: 'unverified', reason: failure.message };
  }
}

function named(upstream: Reference) {
  return { name: upstream, tag: upstream.tag };
}

/** Returns the failure of an image whose signature may be upstream, where packer could not look for it. */
function unasked(failure: Failure, mirror: Host, trouble: unknown): Failure {
  const { code, about, hint } = failure;
  const isMissing = code === 'SIGNATURE_MISSING';
  if (!isMissing && code !== 'SIGNATURE_REFUSED') return failure;
  const told = isMissing ? `${mirror} has no signature for it` : failure.message;
  return new Failure({
    code,
    about,
    message: `${told}, and its upstream registry cannot be reached: ${describeFailure(trouble)}`,
    hint: isMissing ? 'mirror the signatures with the images: synctl sync --signatures copy' : hint,
    cause: failure,
  });
}
