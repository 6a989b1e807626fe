import type { VerificationMode } from '../../config/flags/signature-flags.ts';
import type { ImageSet } from '../../config/image-set.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { SignatureCheck } from '../../signatures/signature-check.ts';
import type { SignaturePlace } from '../../signatures/signature-search.ts';
import type { SignatureVerdict } from '../../signatures/verdict.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import type { SyncSettings } from '../settings.ts';
import type { RecordedImage } from '../state/image-rows.ts';
import { signedUnder } from './recorded-options.ts';

/** An image at the source, and what the state records about it. */
interface SourceImage {
  readonly source: { readonly registry: Registry; readonly repository: Repository; readonly tag: Tag };
  readonly recorded: RecordedImage | undefined;
}

/** Verifies the signatures of images before they are copied. */
export class SourceVerification {
  readonly #mode: VerificationMode;
  readonly #check: SignatureCheck;
  readonly #signal: AbortSignal;

  constructor(mode: VerificationMode, check: SignatureCheck, signal: AbortSignal) {
    this.#mode = mode;
    this.#check = check;
    this.#signal = signal;
  }

  /**
   * Returns whether to verify the signature of an image that is at the destination already: if signatures are required,
   * unless an earlier run verified the same digest by the same policy.
   */
  isDue({ source, recorded }: SourceImage, digest: Digest | undefined): boolean {
    if (this.#mode !== 'require' || isSignatureTag(source.tag)) return false;
    const { registry, repository, tag } = source;
    const stance = this.#check.stanceOn({ name: { host: registry.host, repository }, tag });
    if (stance.kind === 'off') return false;
    const isKnown = recorded !== undefined && recorded.sourceDigest === digest;
    return stance.kind === 'unknown' || !isKnown || signedUnder(recorded.options) !== stance.policy;
  }

  /**
   * Returns the verdict about the signature of an image. The signature may also be at a place in `elsewhere`. Undefined
   * if the image is a signature itself.
   */
  async judge(
    { source }: Pick<SourceImage, 'source'>,
    digest: Digest,
    elsewhere: readonly SignaturePlace[] = [],
  ): Promise<SignatureVerdict | undefined> {
    const { registry, repository, tag } = source;
    if (isSignatureTag(tag)) return undefined;
    const image = {
      name: { host: registry.host, repository },
      tag,
      about: registry.nameOf(repository, tag),
      digests: [digest],
      places: [{ registry, repository }, ...elsewhere],
    };
    return await this.#check.check(image, this.#signal);
  }

  /** If signatures are required, throws the reason why there is no valid one. Returns the verdict otherwise. */
  accept(verdict: SignatureVerdict | undefined): SignatureVerdict | undefined {
    if (verdict?.kind === 'unverified' && this.#mode === 'require') throw verdict.failure;
    return verdict;
  }
}

/** Returns the verification of a run; undefined if it is off. Throws `TRUSTED_ROOT_MALFORMED`. */
export async function openVerification(
  { verifySignatures, trustedRoot, imageSet }: SyncSettings,
  set: ImageSet,
  signal: AbortSignal,
): Promise<SourceVerification | undefined> {
  const { signatures: policies } = set;
  const check = await SignatureCheck.open(
    verifySignatures,
    { policies, trustedRoot, file: imageSet },
    signal,
  );
  return check === undefined ? undefined : new SourceVerification(verifySignatures, check, signal);
}
