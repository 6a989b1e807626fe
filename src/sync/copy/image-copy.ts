import type { Duration } from '../../lib/duration.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import { type Digest, digestAlgorithm, shortDigest } from '../../registry/oci/digest.ts';
import type { Manifest } from '../../registry/oci/manifest.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
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
import { isSignatureTag } from '../select/signature-tag.ts';
import type { BlobBoard } from './blob-board.ts';
import { conversionFor, formImage, type RefusedFormat } from './format.ts';
import { requireReasonable } from './index-limits.ts';
import { choosePlatforms } from './platform-choice.ts';
import { PushClock } from './push-clock.ts';
import { type PushTask, RefusedManifest, type Tally, TreePush } from './tree-push.ts';

interface ImageFacts {
  readonly sourceDigest: Digest;
  readonly pushedDigest: Digest;
  /** What had to be changed about it, as the destination refuses it as it is. */
  readonly conversion: Conversion | undefined;
  /** Of the image and of what its index lists: those whose signatures may belong beside it. */
  readonly digests: readonly Digest[];
  /** What is known of its signature, where it was asked for. */
  readonly signature?: SignatureVerdict | undefined;
}

interface UnchangedImage extends ImageFacts {
  readonly outcome: 'unchanged';
}

interface CopiedImage extends ImageFacts {
  readonly outcome: 'copied';
  /** Bytes of the whole image, its manifests and all blobs. */
  readonly size: number;
  readonly bytesSent: number;
  readonly blobs: { readonly uploaded: number; readonly mounted: number; readonly present: number };
  /** What the destination held instead, where it was asked before. */
  readonly replaced: Digest | 'nothing' | undefined;
}

/** What came of an image that was asked for or copied. */
export type MirroredImage = UnchangedImage | CopiedImage;

/** What an image is copied with. */
interface CopyParts {
  readonly target: Registry;
  readonly board: BlobBoard;
  /** Whether a repository was found not to exist when the run began. */
  readonly wasAbsent: (repository: Repository) => boolean;
  /** What asks for signatures, where they are wanted. */
  readonly verification: SourceVerification | undefined;
  /** For the transfers of one image; 0 is no limit. */
  readonly pushTimeout: Duration;
  /** Whether to stop before anything is sent. */
  readonly isDryRun: boolean;
  /** Of the run. */
  readonly signal: AbortSignal;
}

/** Real ones have some kilobytes; those of a registry that lies up to 4 MiB each. */
const MANIFESTS_KEPT = {
  results: 2000,
  weight: 32 * 1024 * 1024,
  weigh: ({ bytes }: Manifest): number => bytes.length,
};

/** Copies images into one registry, sharing among them what they have in common. */
export class ImageCopier {
  readonly #parts: CopyParts;
  readonly #target: Registry;
  readonly #tree: TreePush;
  readonly #signal: AbortSignal;
  readonly #fetched = new SingleFlight<string, Manifest>(MANIFESTS_KEPT);
  /** What this destination was seen to refuse in this run, while it took the same image in another form. */
  readonly #refused = new Set<RefusedFormat>();

  constructor(parts: CopyParts) {
    const { target, board, wasAbsent, signal } = parts;
    this.#parts = parts;
    this.#target = target;
    this.#tree = new TreePush({
      target,
      board,
      wasAbsent,
      fetch: (source, name) => this.#fetch(source, name),
    });
    this.#signal = signal;
  }

  /**
   * Does what was decided about an image: asks the destination for it where that was decided, and copies it unless it is
   * there. Throws what kept it from being mirrored.
   */
  async mirror(image: PlannedImage): Promise<MirroredImage> {
    const { verification, pushTimeout } = this.#parts;
    let { sourceDigest } = image;
    let present: Digest | undefined;
    if (image.decision.action === 'check') {
      [present, sourceDigest] = await Promise.all([this.#findPresent(image), this.#findSource(image)]);
      const confirmed = present === undefined ? undefined : confirm(image, sourceDigest, present);
      if (confirmed !== undefined) {
        const isDue = verification?.isDue(image, sourceDigest) === true;
        const signature = isDue ? await verification.verify(image, sourceDigest) : undefined;
        const digests = await this.#signedParts(image, sourceDigest);
        return { ...confirmed, outcome: 'unchanged', signature, digests };
      }
    }
    // What was verified is a digest: from here on nothing is asked for by the tag, which may move meanwhile.
    if (verification !== undefined) sourceDigest ??= await this.#findSource(image);
    const signature =
      sourceDigest === undefined ? undefined : await verification?.verify(image, sourceDigest);
    const about = this.#target.nameOf(image.target.repository, image.target.tag);
    using clock = new PushClock(pushTimeout, about, this.#signal);
    return { ...(await this.#copy({ ...image, sourceDigest }, present, clock)), signature };
  }

  /**
   * Copies one image: blobs first, then the manifests that an index lists, the index, and last the tag, so that a tag
   * never stands for something that is not whole. Where the destination refuses its format, it is converted.
   */
  async #copy(image: PlannedImage, present: Digest | undefined, clock: PushClock): Promise<MirroredImage> {
    const { source } = image;
    const about = source.registry.nameOf(source.repository, source.tag);
    const original = await this.#fetch(source, image.sourceDigest ?? source.tag);
    const chosen = choosePlatforms(original, image.platforms, about);
    if (chosen.kind === 'index') requireReasonable(chosen, 0, new Set(), about);
    const digests = new Set([original.digest]);
    const tally: Tally = { bytesSent: 0, uploaded: 0, mounted: 0, present: 0, digests };
    const refused = new Set(this.#refused);
    let refusal: unknown;
    for (;;) {
      const conversion = conversionFor(chosen, refused);
      const form = await formImage(chosen, conversion, (digest) => this.#fetch(source, digest), about);
      try {
        const size = await this.#push({ ...image, form, clock, tally }, present);
        for (const format of refused) this.#refused.add(format);
        const facts = {
          sourceDigest: original.digest,
          pushedDigest: form.manifest.digest,
          conversion: form.conversion,
          digests: [...digests],
        };
        if (size === undefined) return { ...facts, outcome: 'unchanged' };
        const { bytesSent, uploaded, mounted, present: found } = tally;
        const blobs = { uploaded, mounted, present: found };
        const replaced = image.decision.action === 'check' ? (present ?? 'nothing') : undefined;
        return { ...facts, outcome: 'copied', size, bytesSent, blobs, replaced };
      } catch (error) {
        if (!(error instanceof RefusedManifest)) throw error;
        refusal ??= error.refusal;
        refused.add(error.format);
        if (conversionFor(chosen, refused) === conversion) throw refusal;
      }
    }
  }

  /** Returns the size of all that was pushed or found there; undefined where the tag turned out to be right already. */
  async #push(task: PushTask, present: Digest | undefined): Promise<number | undefined> {
    const wanted = task.form.manifest.digest;
    if (present === wanted) return undefined;
    if (this.#parts.isDryRun) return 0;
    try {
      return await this.#tree.push(task);
    } catch (error) {
      if (failureCode(error) !== 'TAG_IMMUTABLE') throw error;
      await this.#acceptFrozenTag(task, wanted, error);
      return undefined;
    }
  }

  /** A tag that cannot be changed is as good as pushed when it already holds the image. */
  async #acceptFrozenTag({ target }: PushTask, wanted: Digest, refusal: unknown): Promise<void> {
    const { repository, tag } = target;
    const there = await this.#target.findManifest(repository, tag, this.#signal);
    if (there === wanted) return;
    if (there === undefined) throw refusal;
    throw new Failure({
      code: 'TAG_IMMUTABLE',
      about: this.#target.nameOf(repository, tag),
      message: `the tag cannot be changed there; it holds ${short(there)}, and the source has ${short(wanted)}`,
      hint: refusal instanceof Failure ? refusal.hint : undefined,
      cause: refusal,
    });
  }

  async #findPresent({ target }: PlannedImage): Promise<Digest | undefined> {
    try {
      return await this.#target.findManifest(target.repository, target.tag, this.#signal);
    } catch (error) {
      // Artifactory denies what does not exist; if it is a real denial, the push will say so.
      if (failureCode(error) === 'DENIED') return undefined;
      throw error;
    }
  }

  async #findSource({ source, sourceDigest }: PlannedImage): Promise<Digest> {
    if (sourceDigest !== undefined) return sourceDigest;
    const { registry, repository, tag } = source;
    const digest = await registry.findManifest(repository, tag, this.#signal);
    if (digest !== undefined) return digest;
    throw new Failure({
      code: 'NOT_FOUND',
      about: registry.nameOf(repository, tag),
      message: 'it does not exist at the source',
      hint: 'check its name and tag in the image set',
    });
  }

  /**
   * Returns the digests of an image that the destination has already whose signatures may belong beside it: its own, and
   * those of what it lists. These are asked for only where the source offers signatures; where the source does not say,
   * its own has to do.
   */
  async #signedParts(image: PlannedImage, sourceDigest: Digest): Promise<readonly Digest[]> {
    const { source, target, platforms, signatureTags } = image;
    if (signatureTags.length === 0 || isSignatureTag(target.tag)) return [sourceDigest];
    try {
      const manifest = await this.#fetch(source, sourceDigest);
      const chosen = choosePlatforms(manifest, platforms, source.repository);
      const parts = chosen.kind === 'index' ? chosen.manifests.map(({ digest }) => digest) : [];
      return [sourceDigest, ...parts];
    } catch {
      this.#signal.throwIfAborted();
      return [sourceDigest];
    }
  }

  /** Shared by images, so it ends with the run and not with one of them. */
  #fetch({ registry, repository }: PushTask['source'], name: Tag | Digest): Promise<Manifest> {
    return this.#fetched.get(registry.nameOf(repository, name), () =>
      registry.getManifest(repository, name, this.#signal),
    );
  }
}

/** Returns what the tag holds if that is right; undefined where it is not, or has to be built to be known. */
function confirm(
  { recorded, platforms }: PlannedImage,
  sourceDigest: Digest,
  pushedDigest: Digest,
): Omit<ImageFacts, 'digests'> | undefined {
  const found = { sourceDigest, pushedDigest };
  if (platforms.length === 0 && pushedDigest === sourceDigest) return { ...found, conversion: undefined };
  const isRecorded =
    recorded?.sourceDigest === sourceDigest &&
    recorded.pushedDigest === pushedDigest &&
    mayDiffer(recorded.options, platforms) &&
    fitsSettings(recorded.options, contentOptions(platforms));
  return isRecorded ? { ...found, conversion: conversionIn(recorded.options) } : undefined;
}

function short(digest: Digest): string {
  return `${digestAlgorithm(digest)}:${shortDigest(digest)}…`;
}
