import { milliseconds } from './duration.ts';
import { pause } from './pause.ts';

/** After a rest, as many may start at once as would start within this time. */
const BURST_MILLISECONDS = 100;

/** Limits how often something starts: at most `perSecond` times a second, after a burst of a tenth of that number, or of one. */
export class RateLimiter {
  readonly #gap: number;
  readonly #burst: number;
  #next = 0;

  constructor(perSecond: number) {
    this.#gap = 1000 / perSecond;
    // The first to start is part of the burst.
    this.#burst = Math.max(0, BURST_MILLISECONDS - this.#gap);
  }

  /** Resolves when the caller may start. Rejects with the signal's reason if that aborts first. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#next = Math.max(this.#next, now - this.#burst) + this.#gap;
    const delay = this.#next - this.#gap - now;
    if (delay > 0) await pause(milliseconds(delay), signal);
  }
}
