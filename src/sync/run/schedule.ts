import { PriorityQueue } from '../../lib/priority-queue.ts';

/** Enough to keep 64 requests in flight, and few enough to keep the order of ranks. */
const ITEMS_UNDER_WAY = 96;

/** An item of work. The lowest rank comes first. */
interface Ranked {
  readonly rank: number;
}

/**
 * Works on a limited number of items at a time, those of the lowest rank first. Items can be added while others are
 * being worked on.
 */
export class Schedule<Item extends Ranked> {
  readonly #queue = new PriorityQueue<Item>();
  readonly #underWay = new Set<Item>();
  readonly #work: (item: Item) => Promise<void>;
  readonly #signal: AbortSignal;
  readonly #end = Promise.withResolvers<void>();
  readonly #failures: unknown[] = [];
  #isComplete = false;

  /** `work` should handle its failures itself. If it throws, or if the signal aborts, no further item is begun. */
  constructor(work: (item: Item) => Promise<void>, signal: AbortSignal) {
    this.#work = work;
    this.#signal = signal;
  }

  /** The items that are being worked on, the longest-running first. */
  get underWay(): ReadonlySet<Item> {
    return this.#underWay;
  }

  /** The number of items that wait or are being worked on. */
  get open(): number {
    return this.#queue.length + this.#underWay.size;
  }

  /** Adds items, and begins as many as the limit allows. */
  add(items: readonly Item[]): void {
    for (const item of items) this.#queue.add(item, item.rank);
    this.#begin();
  }

  /**
   * Waits for the end of all work. From here on only the work itself may add items. Returns the items that were not
   * begun. Throws the first error of `work`.
   */
  async finish(): Promise<readonly Item[]> {
    this.#isComplete = true;
    this.#begin();
    await this.#end.promise;
    if (this.#failures.length > 0) throw this.#failures[0];
    return this.#queue.takeAll();
  }

  get #isStopped(): boolean {
    return this.#signal.aborted || this.#failures.length > 0;
  }

  #begin(): void {
    while (!this.#isStopped && this.#underWay.size < ITEMS_UNDER_WAY) {
      const item = this.#queue.take();
      if (item === undefined) break;
      this.#underWay.add(item);
      this.#work(item)
        .catch((error: unknown) => this.#failures.push(error))
        .finally(() => this.#ended(item));
    }
    const isIdle = this.#underWay.size === 0 && (this.#queue.length === 0 || this.#isStopped);
    if (this.#isComplete && isIdle) this.#end.resolve();
  }

  #ended(item: Item): void {
    this.#underWay.delete(item);
    this.#begin();
  }
}
