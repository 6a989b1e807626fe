import { Failure, failureCode } from '../../lib/failure.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Manifest } from '../../registry/oci/manifest.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Conversion } from '../plan/content-options.ts';
import type { BlobBoard } from './blob-board.ts';
import { conversionFor, type FormedImage, formImage, type RefusedFormat } from './format.ts';
import { requireReasonable } from './index-limits.ts';
import { choosePlatforms } from './platform-choice.ts';
import type { PushClock } from './push-clock.ts';
import { RefusedManifest, type Tally, TreePush } from './tree-push.ts';

/** One tag to be copied, as it is or with some of its platforms. */
export interface ImageOrder {
  readonly source: { readonly registry: Registry; readonly repository: Repository; readonly tag: Tag };
  /** Where the source's listing told it. */
  readonly sourceDigest: Digest | undefined;
  readonly target: { readonly repository: Repository; readonly tag: Tag };
  readonly platforms: readonly Platform[];
  /** What the tag holds at the destination now, where that is known. */
  readonly present: Digest | undefined;
}

/** What came of copying one image. */
export interface CopiedImage {
  /** `unchanged` when the destination turned out to have it already. */
  readonly outcome: 'copied' | 'unchanged';
  readonly sourceDigest: Digest;
  readonly pushedDigest: Digest;
  /** What had to be changed about it, as the destination refuses it as it is. */
  readonly conversion: Conversion | undefined;
  /** Of the whole image, its manifests and all blobs. */
  readonly size: number;
  /** Of what was sent for it. */
  readonly bytesSent: number;
  readonly blobs: { readonly uploaded: number; readonly mounted: number; readonly present: number };
  /** Of the image and, for an index, of what it lists. */
  readonly digests: readonly Digest[];
}

/** Real ones have some kilobytes; those of a registry that lies up to 4 MiB each. */
const MANIFESTS_KEPT = {
  results: 2000,
  weight: 32 * 1024 * 1024,
  weigh: ({ bytes }: Manifest): number => bytes.length,
};

/** Copies images into one registry, sharing among them what they have in common. */
export class ImageCopier {
  readonly #target: Registry;
  readonly #tree: TreePush;
  readonly #isDryRun: boolean;
  readonly #signal: AbortSignal;
  readonly #fetched = new SingleFlight<string, Manifest>(MANIFESTS_KEPT);
  /** What this destination was seen to refuse in this run, while it took the same image in another form. */
  readonly #refused = new Set<RefusedFormat>();

  constructor(parts: {
    readonly target: Registry;
    readonly board: BlobBoard;
    /** Whether a repository was found not to exist when the run began. */
    readonly wasAbsent: (repository: Repository) => boolean;
    /** Whether to stop before anything is sent. */
    readonly isDryRun: boolean;
    /** Of the run. */
    readonly signal: AbortSignal;
  }) {
    const { target, board, wasAbsent, isDryRun, signal } = parts;
    this.#target = target;
    this.#tree = new TreePush({
      target,
      board,
      wasAbsent,
      fetch: (source, name) => this.#fetch(source, name),
    });
    this.#isDryRun = isDryRun;
    this.#signal = signal;
  }

  /**
   * Copies one image: blobs first, then the manifests that an index lists, the index, and last the tag, so that a tag
   * never stands for something that is not whole. Where the destination refuses its format, it is converted. Throws
   * what kept it from being copied.
   */
  async copy(order: ImageOrder, clock: PushClock): Promise<CopiedImage> {
    const { source } = order;
    const about = source.registry.nameOf(source.repository, source.tag);
    const original = await this.#fetch(source, order.sourceDigest ?? source.tag);
    const chosen = choosePlatforms(original, order.platforms, about);
    if (chosen.kind === 'index') requireReasonable(chosen, 0, new Set(), about);
    const digests = new Set([original.digest]);
    const tally: Tally = { bytesSent: 0, uploaded: 0, mounted: 0, present: 0, digests };
    const refused = new Set(this.#refused);
    let refusal: unknown;
    for (;;) {
      const conversion = conversionFor(chosen, refused);
      const image = await formImage(chosen, conversion, (digest) => this.#fetch(source, digest), about);
      try {
        const { outcome, size } = await this.#bring(order, image, clock, tally);
        for (const format of refused) this.#refused.add(format);
        return {
          outcome,
          sourceDigest: original.digest,
          pushedDigest: image.manifest.digest,
          conversion: image.conversion,
          size,
          bytesSent: tally.bytesSent,
          blobs: { uploaded: tally.uploaded, mounted: tally.mounted, present: tally.present },
          digests: [...tally.digests],
        };
      } catch (error) {
        if (!(error instanceof RefusedManifest)) throw error;
        refusal ??= error.refusal;
        refused.add(error.format);
        if (conversionFor(chosen, refused) === conversion) throw refusal;
      }
    }
  }

  async #bring(
    order: ImageOrder,
    image: FormedImage,
    clock: PushClock,
    tally: Tally,
  ): Promise<Pick<CopiedImage, 'outcome' | 'size'>> {
    const { source, target, present } = order;
    if (present === image.manifest.digest) return { outcome: 'unchanged', size: 0 };
    if (this.#isDryRun) return { outcome: 'copied', size: 0 };
    try {
      const size = await this.#tree.push({ source, target, image, clock, tally });
      return { outcome: 'copied', size };
    } catch (error) {
      if (failureCode(error) !== 'TAG_IMMUTABLE') throw error;
      await this.#acceptFrozenTag(order, image.manifest.digest, error);
      return { outcome: 'unchanged', size: 0 };
    }
  }

  /** A tag that cannot be changed is as good as pushed when it already holds the image. */
  async #acceptFrozenTag(order: ImageOrder, wanted: Digest, refusal: unknown): Promise<void> {
    const { repository, tag } = order.target;
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

  /** Shared by images, so it ends with the run and not with one of them. */
  #fetch(
    { registry, repository }: Pick<ImageOrder['source'], 'registry' | 'repository'>,
    name: Tag | Digest,
  ): Promise<Manifest> {
    return this.#fetched.get(registry.nameOf(repository, name), () =>
      registry.getManifest(repository, name, this.#signal),
    );
  }
}

function short(digest: Digest): string {
  return `${digest.slice(0, digest.indexOf(':') + 13)}…`;
}
