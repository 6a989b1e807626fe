interface Waiter {
  readonly limiters: readonly ConcurrencyLimiter[];
  readonly grant: () => void;
}

/**
 * The width of a limiter. Without `ceiling` it is fixed; with `ceiling` the limiter adapts it between 1 and `ceiling`.
 */
export interface LimiterWidth {
  readonly start: number;
  readonly ceiling?: number | undefined;
}

/**
 * Limits how many slots can be taken at the same time. An adaptive limiter doubles its width after as many successes as
 * its width. After the first throttling it grows by one instead, and every throttling halves it.
 */
export class ConcurrencyLimiter {
  readonly #ceiling: number | undefined;
  #width: number;
  #taken = 0;
  #successes = 0;
  #wasThrottled = false;
  // In the order in which they came. A set, because a waiter leaves all limiters that it waits for at the same time.
  readonly #waiting = new Set<Waiter>();

  constructor(width: LimiterWidth) {
    this.#width = width.start;
    this.#ceiling = width.ceiling;
  }

  get width(): number {
    return this.#width;
  }

  get hasRoom(): boolean {
    return this.#taken < this.#width;
  }

  /** Reports that the work in one slot succeeded. */
  succeeded(): void {
    if (this.#ceiling === undefined || this.#width >= this.#ceiling) return;
    this.#successes += 1;
    if (this.#successes < this.#width) return;
    this.#successes = 0;
    this.#width = Math.min(this.#ceiling, this.#wasThrottled ? this.#width + 1 : this.#width * 2);
    this.#admit();
  }

  /** Reports that the other side asked for fewer requests. */
  throttled(): void {
    if (this.#ceiling === undefined) return;
    this.#wasThrottled = true;
    this.#successes = 0;
    this.#width = Math.max(1, Math.floor(this.#width / 2));
  }

  /**
   * Takes one slot on each of the limiters, all at once: while it waits it holds none. On a limiter that is named twice it
   * takes one slot. Returns the function that releases the slots. Rejects with the signal's reason.
   */
  static async take(limiters: readonly ConcurrencyLimiter[], signal: AbortSignal): Promise<() => void> {
    const distinct = [...new Set(limiters)];
    signal.throwIfAborted();
    if (!distinct.every((limiter) => limiter.hasRoom)) await ConcurrencyLimiter.#wait(distinct, signal);
    else for (const limiter of distinct) limiter.#taken += 1;
    let returned = false;
    return () => {
      if (returned) return;
      returned = true;
      for (const limiter of distinct) limiter.#taken -= 1;
      for (const limiter of distinct) limiter.#admit();
    };
  }

  static #wait(limiters: readonly ConcurrencyLimiter[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        for (const limiter of limiters) limiter.#waiting.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        limiters,
        grant: () => {
          signal.removeEventListener('abort', giveUp);
          for (const limiter of limiters) {
            limiter.#waiting.delete(waiter);
            limiter.#taken += 1;
          }
          resolve();
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      for (const limiter of limiters) limiter.#waiting.add(waiter);
    });
  }

  #admit(): void {
    for (const waiter of this.#waiting) {
      if (!this.hasRoom) return;
      if (waiter.limiters.every((limiter) => limiter.hasRoom)) waiter.grant();
    }
  }
}
