import type { SignatureVerification } from '../../config/flags/signature-flags.ts';
import type { ImageSet } from '../../config/image-set.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { SignatureCheck } from '../../signatures/signature-check.ts';
import type { SignatureVerdict } from '../../signatures/verdict.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import type { SyncSettings } from '../settings.ts';
import { signedUnder } from './content-options.ts';
import type { PlannedImage } from './planned-image.ts';

/** What of a planned image decides whether its signature is still to be verified. */
export type VettedImage = Pick<PlannedImage, 'source' | 'recorded'>;

/** Asks for the signatures of images before they are copied. */
export class Vetting {
  readonly #mode: SignatureVerification;
  readonly #check: SignatureCheck;
  readonly #signal: AbortSignal;

  constructor(mode: SignatureVerification, check: SignatureCheck, signal: AbortSignal) {
    this.#mode = mode;
    this.#check = check;
    this.#signal = signal;
  }

  /**
   * Tells whether an image that is at the destination is to be asked for its signature: where one is required, unless
   * this digest was verified in an earlier run under the same policy.
   */
  isDue({ source, recorded }: VettedImage, digest: Digest | undefined): boolean {
    if (this.#mode !== 'require' || isSignatureTag(source.tag)) return false;
    const stance = this.#check.stanceOn({ host: source.registry.host, repository: source.repository });
    if (stance.kind === 'off') return false;
    const isKnown = recorded !== undefined && recorded.sourceDigest === digest;
    return stance.kind === 'unknown' || !isKnown || signedUnder(recorded.options) !== stance.policy;
  }

  /**
   * Gives what is known of an image's signature; undefined for what is itself a signature. Throws, where one is required,
   * why none counts.
   */
  async vet({ source }: VettedImage, digest: Digest): Promise<SignatureVerdict | undefined> {
    const { registry, repository, tag } = source;
    if (isSignatureTag(tag)) return undefined;
    const image = {
      name: { host: registry.host, repository },
      about: registry.nameOf(repository, tag),
      digests: [digest],
      places: [{ registry, repository }],
    };
    const verdict = await this.#check.check(image, this.#signal);
    if (verdict.kind === 'unverified' && this.#mode === 'require') throw verdict.failure;
    return verdict;
  }
}

/** Gives what asks for signatures in a run; undefined where none are wanted. Throws `TRUSTED_ROOT_MALFORMED`. */
export async function openVetting(
  { verifySignatures, trustedRoot, imageSet }: SyncSettings,
  set: ImageSet,
  signal: AbortSignal,
): Promise<Vetting | undefined> {
  const { signatures: policies } = set;
  const check = await SignatureCheck.open(verifySignatures, { policies, trustedRoot, file: imageSet });
  return check === undefined ? undefined : new Vetting(verifySignatures, check, signal);
}
