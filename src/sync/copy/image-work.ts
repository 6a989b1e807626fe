import type { Duration } from '../../lib/duration.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Registry } from '../../registry/registry.ts';
import type { SignatureVerdict } from '../../signatures/verdict.ts';
import {
  type Conversion,
  contentOptions,
  conversionIn,
  fitsSettings,
  mayDiffer,
} from '../plan/content-options.ts';
import type { PlannedImage } from '../plan/planning.ts';
import type { SourceVerification } from '../plan/verification.ts';
import type { CopiedImage, ImageCopier } from './image-copy.ts';
import { PushClock } from './push-clock.ts';

/** What came of an image that was checked or copied. */
export type WorkedImage = (
  | {
      readonly outcome: 'confirmed';
      readonly sourceDigest: Digest;
      readonly pushedDigest: Digest;
      readonly conversion: Conversion | undefined;
    }
  | (CopiedImage & {
      /** What the destination held instead, where it was asked before. */
      readonly replaced?: Digest | 'nothing';
    })
) & {
  /** Where it was asked for. */
  readonly signature?: SignatureVerdict | undefined;
};

/** What is needed to work on images. */
export interface WorkParts {
  readonly target: Registry;
  readonly copier: ImageCopier;
  /** What asks for signatures, where they are wanted. */
  readonly verification: SourceVerification | undefined;
  readonly pushTimeout: Duration;
  readonly signal: AbortSignal;
}

/**
 * Does what was decided about an image: asks the destination for it where that was decided, and copies it unless it
 * is there already. Throws what kept it from being mirrored.
 */
export async function workOn(image: PlannedImage, parts: WorkParts): Promise<WorkedImage> {
  const { target, copier, verification, pushTimeout, signal } = parts;
  let present: Digest | undefined;
  let sourceDigest = image.sourceDigest;
  if (image.decision.action === 'check') {
    const [there, here] = await Promise.all([findPresent(image, target, signal), findSource(image, signal)]);
    const confirmed = there === undefined ? undefined : confirm(image, here, there);
    if (confirmed !== undefined) {
      return verification?.isDue(image, here)
        ? { ...confirmed, signature: await verification.verify(image, here) }
        : confirmed;
    }
    present = there;
    sourceDigest = here;
  }
  // What was verified is a digest: from here on nothing is asked for by the tag, which may move meanwhile.
  if (verification !== undefined) sourceDigest ??= await findSource(image, signal);
  const signature = sourceDigest === undefined ? undefined : await verification?.verify(image, sourceDigest);
  const about = target.nameOf(image.target.repository, image.target.tag);
  using clock = new PushClock(pushTimeout, about, signal);
  const { source, platforms } = image;
  const order = { source, sourceDigest, target: image.target, platforms, present };
  const copied = { ...(await copier.copy(order, clock)), signature };
  return image.decision.action === 'check' ? { ...copied, replaced: present ?? 'nothing' } : copied;
}

async function findPresent(
  image: PlannedImage,
  target: Registry,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  try {
    return await target.findManifest(image.target.repository, image.target.tag, signal);
  } catch (error) {
    // Artifactory denies what does not exist; if it is a real denial, the push will say so.
    if (failureCode(error) === 'DENIED') return undefined;
    throw error;
  }
}

async function findSource(image: PlannedImage, signal: AbortSignal): Promise<Digest> {
  if (image.sourceDigest !== undefined) return image.sourceDigest;
  const { registry, repository, tag } = image.source;
  const digest = await registry.findManifest(repository, tag, signal);
  if (digest !== undefined) return digest;
  throw new Failure({
    code: 'NOT_FOUND',
    about: registry.nameOf(repository, tag),
    message: 'it does not exist at the source',
    hint: 'check its name and tag in the image set',
  });
}

/** Returns whether the tag holds what it should; unknown when that has to be built to be known. */
function confirm(image: PlannedImage, sourceDigest: Digest, there: Digest): WorkedImage | undefined {
  const { recorded, platforms } = image;
  const found = { outcome: 'confirmed', sourceDigest, pushedDigest: there } as const;
  if (platforms.length === 0 && there === sourceDigest) return { ...found, conversion: undefined };
  const isRecorded =
    recorded?.sourceDigest === sourceDigest &&
    recorded.pushedDigest === there &&
    mayDiffer(recorded.options, platforms) &&
    fitsSettings(recorded.options, contentOptions(platforms));
  return isRecorded ? { ...found, conversion: conversionIn(recorded.options) } : undefined;
}
