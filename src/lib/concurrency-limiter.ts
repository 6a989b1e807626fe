interface Waiter {
  readonly limiters: readonly ConcurrencyLimiter[];
  readonly grant: () => void;
}

/** How wide a limiter is. Without `ceiling` the width is fixed; with it the limiter adapts between 1 and `ceiling`. */
export interface LimiterWidth {
  readonly start: number;
  readonly ceiling?: number | undefined;
}

/**
 * A number of slots that may be taken at the same time. An adaptive limiter doubles its width with every full width of
 * successes until it was throttled once, from then on it grows by one, and each throttling halves it.
 */
export class ConcurrencyLimiter {
  readonly #ceiling: number | undefined;
  #width: number;
  #taken = 0;
  #successes = 0;
  #wasThrottled = false;
  // Insertion order is the order of asking; a set because a waiter leaves every limiter that it waits for at once.
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

  /** Tells the limiter that work in one of its slots went well. */
  succeeded(): void {
    if (this.#ceiling === undefined || this.#width >= this.#ceiling) return;
    this.#successes += 1;
    if (this.#successes < this.#width) return;
    this.#successes = 0;
    this.#width = Math.min(this.#ceiling, this.#wasThrottled ? this.#width + 1 : this.#width * 2);
    this.#admit();
  }

  /** Tells the limiter that the other side asked for less. */
  throttled(): void {
    if (this.#ceiling === undefined) return;
    this.#wasThrottled = true;
    this.#successes = 0;
    this.#width = Math.max(1, Math.floor(this.#width / 2));
  }

  /**
   * Takes a slot on every one of the limiters at once, holding none while it waits, and returns the function that
   * returns them. Limiters named twice count once. Rejects with the signal's reason.
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
