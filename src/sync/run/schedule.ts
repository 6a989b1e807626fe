import { PriorityQueue } from '../../lib/priority-queue.ts';
import type { PlannedImage } from '../plan/planned-image.ts';

/** Enough to hide latency behind 64 requests in flight, few enough to keep the most urgent in front. */
const IMAGES_UNDER_WAY = 96;

/**
 * Lets images be worked on, a number of them at a time, the most urgent of those known so far first, while others are
 * still being planned.
 */
export class Schedule {
  readonly #queue = new PriorityQueue<PlannedImage>();
  readonly #underWay = new Map<PlannedImage, number>();
  readonly #work: (image: PlannedImage) => Promise<void>;
  readonly #signal: AbortSignal;
  readonly #end = Promise.withResolvers<void>();
  #isComplete = false;

  /** `work` must deal with its failures by itself. Nothing is begun any more once the signal aborts. */
  constructor(work: (image: PlannedImage) => Promise<void>, signal: AbortSignal) {
    this.#work = work;
    this.#signal = signal;
  }

  /** Images that are being worked on, the longest-running first, each with when it began (`performance.now()`). */
  get underWay(): ReadonlyMap<PlannedImage, number> {
    return this.#underWay;
  }

  /** How many are waiting or being worked on. */
  get open(): number {
    return this.#queue.length + this.#underWay.size;
  }

  add(images: readonly PlannedImage[]): void {
    for (const image of images) this.#queue.add(image, image.rank);
    this.#begin();
  }

  /** Says that only the work itself will add more; when all has ended it gives what was never begun. */
  async finish(): Promise<readonly PlannedImage[]> {
    this.#isComplete = true;
    this.#begin();
    await this.#end.promise;
    return this.#queue.takeAll();
  }

  #begin(): void {
    while (!this.#signal.aborted && this.#underWay.size < IMAGES_UNDER_WAY) {
      const image = this.#queue.take();
      if (image === undefined) break;
      this.#underWay.set(image, performance.now());
      this.#work(image).then(
        () => this.#ended(image),
        (error: unknown) => this.#end.reject(error),
      );
    }
    const isIdle = this.#underWay.size === 0 && (this.#queue.length === 0 || this.#signal.aborted);
    if (this.#isComplete && isIdle) this.#end.resolve();
  }

  #ended(image: PlannedImage): void {
    this.#underWay.delete(image);
    this.#begin();
  }
}
