interface Waiter {
  readonly lanes: readonly Lane[];
  readonly grant: () => void;
}

/** How wide a lane is. Without `ceiling` the width is fixed; with it the lane adapts between 1 and `ceiling`. */
export interface LaneWidth {
  readonly start: number;
  readonly ceiling?: number;
}

/**
 * A number of slots that may be taken at the same time. An adaptive lane doubles its width with every full width of
 * successes until it was throttled once, from then on it grows by one, and each throttling halves it.
 */
export class Lane {
  readonly #ceiling: number | undefined;
  #width: number;
  #taken = 0;
  #successes = 0;
  #wasThrottled = false;
  // Insertion order is the order of asking; a set because a waiter leaves every lane that it waits for at once.
  readonly #waiting = new Set<Waiter>();

  constructor(width: LaneWidth) {
    this.#width = width.start;
    this.#ceiling = width.ceiling;
  }

  get width(): number {
    return this.#width;
  }

  get hasRoom(): boolean {
    return this.#taken < this.#width;
  }

  /** Tells the lane that work in one of its slots went well. */
  succeeded(): void {
    if (this.#ceiling === undefined || this.#width >= this.#ceiling) return;
    this.#successes += 1;
    if (this.#successes < this.#width) return;
    this.#successes = 0;
    this.#width = Math.min(this.#ceiling, this.#wasThrottled ? this.#width + 1 : this.#width * 2);
    this.#admit();
  }

  /** Tells the lane that the other side asked for less. */
  throttled(): void {
    if (this.#ceiling === undefined) return;
    this.#wasThrottled = true;
    this.#successes = 0;
    this.#width = Math.max(1, Math.floor(this.#width / 2));
  }

  /**
   * Takes a slot on every one of the lanes at once, holding none while it waits, and gives the function that
   * returns them. Lanes named twice count once. Rejects with the signal's reason.
   */
  static async take(lanes: readonly Lane[], signal: AbortSignal): Promise<() => void> {
    const distinct = [...new Set(lanes)];
    signal.throwIfAborted();
    if (!distinct.every((lane) => lane.hasRoom)) await Lane.#wait(distinct, signal);
    else for (const lane of distinct) lane.#taken += 1;
    let returned = false;
    return () => {
      if (returned) return;
      returned = true;
      for (const lane of distinct) lane.#taken -= 1;
      for (const lane of distinct) lane.#admit();
    };
  }

  static #wait(lanes: readonly Lane[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        for (const lane of lanes) lane.#waiting.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        lanes,
        grant: () => {
          signal.removeEventListener('abort', giveUp);
          for (const lane of lanes) {
            lane.#waiting.delete(waiter);
            lane.#taken += 1;
          }
          resolve();
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      for (const lane of lanes) lane.#waiting.add(waiter);
    });
  }

  #admit(): void {
    for (const waiter of this.#waiting) {
      if (!this.hasRoom) return;
      if (waiter.lanes.every((lane) => lane.hasRoom)) waiter.grant();
    }
  }
}
