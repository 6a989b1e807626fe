import { Failure, failureCode } from '../../lib/failure.ts';
import { Once } from '../../lib/once.ts';
import { type BlobSource, registrySource } from '../../registry/blob-source.ts';
import type { Digest } from '../../registry/digest.ts';
import type { Descriptor, Image, Manifest } from '../../registry/manifest.ts';
import type { Platform } from '../../registry/platform.ts';
import type { Repository, Tag } from '../../registry/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { BlobBoard } from './blob-board.ts';
import { choosePlatforms } from './platform-choice.ts';
import type { PushClock } from './push-clock.ts';

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
  /** Of the whole image, its manifests and all blobs. */
  readonly size: number;
  /** Of what was sent for it. */
  readonly bytesSent: number;
  readonly blobs: { readonly uploaded: number; readonly mounted: number; readonly present: number };
  /** Of the image and, for an index, of what it lists. */
  readonly digests: readonly Digest[];
}

interface Tally {
  bytesSent: number;
  uploaded: number;
  mounted: number;
  present: number;
  readonly digests: Set<Digest>;
}

interface Task {
  readonly order: ImageOrder;
  readonly clock: PushClock;
  readonly tally: Tally;
  readonly source: BlobSource;
}

const MANIFESTS_KEPT = 2000;
/** Far beyond any real image; a registry that lies must not keep a run busy. */
const NESTING_LIMIT = 4;
const CHILDREN_LIMIT = 500;

/** Copies images into one registry, sharing among them what they have in common. */
export class ImageCopier {
  readonly #target: Registry;
  readonly #board: BlobBoard;
  readonly #wasAbsent: (repository: Repository) => boolean;
  readonly #isDryRun: boolean;
  readonly #signal: AbortSignal;
  readonly #fetched = new Once<string, Manifest>(MANIFESTS_KEPT);
  readonly #pushed = new Once<string, number>(MANIFESTS_KEPT * 10);

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
    this.#target = parts.target;
    this.#board = parts.board;
    this.#wasAbsent = parts.wasAbsent;
    this.#isDryRun = parts.isDryRun;
    this.#signal = parts.signal;
  }

  /**
   * Copies one image: blobs first, then the manifests that an index lists, the index, and last the tag, so that a tag
   * never stands for something that is not whole. Throws what kept it from being copied.
   */
  async copy(order: ImageOrder, clock: PushClock): Promise<CopiedImage> {
    const { source, target } = order;
    const about = source.registry.nameOf(source.repository, source.tag);
    const original = await this.#fetch(order, order.sourceDigest ?? source.tag);
    const manifest = choosePlatforms(original, order.platforms, about);
    const digests = new Set([original.digest]);
    const tally: Tally = { bytesSent: 0, uploaded: 0, mounted: 0, present: 0, digests };
    const result = (outcome: CopiedImage['outcome'], size: number): CopiedImage => ({
      outcome,
      sourceDigest: original.digest,
      pushedDigest: manifest.digest,
      size,
      bytesSent: tally.bytesSent,
      blobs: { uploaded: tally.uploaded, mounted: tally.mounted, present: tally.present },
      digests: [...tally.digests],
    });
    if (order.present === manifest.digest) return result('unchanged', 0);
    if (this.#isDryRun) return result('copied', 0);
    const task = { order, clock, tally, source: registrySource(source.registry, source.repository) };
    return result('copied', await this.#pushTree(task, manifest, target.tag, 0));
  }

  /** Gives the size of all that it brought or found there. */
  async #pushTree(task: Task, manifest: Manifest, name: Tag | Digest, depth: number): Promise<number> {
    const { repository } = task.order.target;
    const size = await this.#pushParts(task, manifest, depth);
    try {
      await this.#target.putManifest(repository, name, manifest, task.clock.signal);
    } catch (error) {
      if (failureCode(error) !== 'CONTENT_UNKNOWN') throw error;
      this.#doubtParts(manifest, repository);
      await this.#pushParts(task, manifest, depth);
      await this.#target.putManifest(repository, name, manifest, task.clock.signal);
    }
    return size + manifest.bytes.length;
  }

  async #pushParts(task: Task, manifest: Manifest, depth: number): Promise<number> {
    if (manifest.kind === 'image') return this.#placeBlobs(task, manifest);
    if (depth >= NESTING_LIMIT || manifest.manifests.length > CHILDREN_LIMIT) {
      const about = this.#target.nameOf(task.order.target.repository, manifest.digest);
      const message = 'its index is nested too deeply or lists too much to be an image';
      throw new Failure({ code: 'INDEX_UNREASONABLE', about, message });
    }
    return sum(await settled(manifest.manifests.map((child) => this.#pushChild(task, child, depth + 1))));
  }

  async #pushChild(task: Task, child: Descriptor, depth: number): Promise<number> {
    const { repository } = task.order.target;
    task.tally.digests.add(child.digest);
    for (;;) {
      let isOwn = false;
      try {
        return await this.#pushed.get(`${repository}@${child.digest}`, () => {
          isOwn = true;
          return this.#bringChild(task, child, depth);
        });
      } catch (error) {
        // Another image did it for both and ran out of its own time; this one still has its.
        const isForeign = !isOwn && failureCode(error) === 'PUSH_TIMED_OUT' && !task.clock.signal.aborted;
        if (!isForeign) throw error;
      }
    }
  }

  async #bringChild(task: Task, child: Descriptor, depth: number): Promise<number> {
    const { repository } = task.order.target;
    const { signal } = task.clock;
    if (!this.#wasAbsent(repository)) {
      const present = await this.#target.findManifest(repository, child.digest, signal);
      if (present !== undefined) return child.size;
    }
    const manifest = await this.#fetch(task.order, child.digest);
    return this.#pushTree(task, manifest, child.digest, depth);
  }

  async #placeBlobs(task: Task, image: Image): Promise<number> {
    const { repository } = task.order.target;
    const { tally, clock, source } = task;
    const { signal, setActive } = clock;
    const distinct = [
      ...new Map([image.config, ...image.layers].map((blob) => [blob.digest, blob])).values(),
    ];
    const work = distinct.map(async (descriptor) => {
      const placed = await this.#board.place({ descriptor, repository, source, signal, onActive: setActive });
      tally[placed] += 1;
      if (placed === 'uploaded') tally.bytesSent += descriptor.size;
      return descriptor.size;
    });
    return sum(await settled(work));
  }

  #doubtParts(manifest: Manifest, repository: Repository): void {
    if (manifest.kind === 'index') {
      for (const { digest } of manifest.manifests) this.#pushed.forget(`${repository}@${digest}`);
      return;
    }
    for (const { digest } of [manifest.config, ...manifest.layers]) this.#board.doubt(digest, repository);
  }

  /** Shared by images, so it ends with the run and not with one of them. */
  #fetch(order: ImageOrder, name: Tag | Digest): Promise<Manifest> {
    const { registry, repository } = order.source;
    return this.#fetched.get(registry.nameOf(repository, name), () =>
      registry.getManifest(repository, name, this.#signal),
    );
  }
}

/** Waits until all have ended, so that nothing goes on behind a failure, and throws the first that failed. */
async function settled<Result>(work: readonly Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
