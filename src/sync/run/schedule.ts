import { PriorityQueue } from '../../lib/priority-queue.ts';

/** Enough to hide latency behind 64 requests in flight, few enough to keep the most urgent in front. */
const ITEMS_UNDER_WAY = 96;

/** Something to work on; the lower its rank, the sooner its turn comes. */
interface Ranked {
  readonly rank: number;
}

/**
 * Works on items, a number of them at a time, the most urgent of those known so far first, while others are still being
 * planned.
 */
export class Schedule<Item extends Ranked> {
  readonly #queue = new PriorityQueue<Item>();
  readonly #underWay = new Set<Item>();
  readonly #work: (item: Item) => Promise<void>;
  readonly #signal: AbortSignal;
  readonly #end = Promise.withResolvers<void>();
  readonly #failures: unknown[] = [];
  #isComplete = false;

  /** Nothing is begun any more once the signal aborts or `work` throws, which should deal with its failures by itself. */
  constructor(work: (item: Item) => Promise<void>, signal: AbortSignal) {
    this.#work = work;
    this.#signal = signal;
  }

  /** Items that are being worked on, the longest-running first. */
  get underWay(): ReadonlySet<Item> {
    return this.#underWay;
  }

  /** How many are waiting or being worked on. */
  get open(): number {
    return this.#queue.length + this.#underWay.size;
  }

  add(items: readonly Item[]): void {
    for (const item of items) this.#queue.add(item, item.rank);
    this.#begin();
  }

  /**
   * Waits for the end of all work. Only the work itself may add more from here on. Returns what was never begun. Throws
   * what `work` threw first.
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
