import { milliseconds } from './duration.ts';
import { pause } from './pause.ts';

/** Spreads starts over time: at most `perSecond` of them a second, after a burst of a tenth of that. */
export class RateLimiter {
  readonly #gap: number;
  readonly #burst: number;
  #next = 0;

  constructor(perSecond: number) {
    this.#gap = 1000 / perSecond;
    this.#burst = 100;
  }

  /** Resolves when the caller may start. Rejects when the signal aborts first. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#next = Math.max(this.#next, now - this.#burst) + this.#gap;
    const delay = this.#next - this.#gap - now;
    if (delay > 0) await pause(milliseconds(delay), signal);
  }
}
