import type { Duration } from '../../lib/duration.ts';
import { formatDuration } from '../../lib/duration.ts';
import { Failure } from '../../lib/failure.ts';

/**
 * The time limit for the transfers of an image (`--push-timeout`). The clock runs only while a blob or manifest of the
 * image holds a slot, so waiting for other images is not counted. At the limit, `signal` aborts with `PUSH_TIMED_OUT`.
 */
export class PushClock implements Disposable {
  readonly signal: AbortSignal;
  readonly #expiry = new AbortController();
  readonly #limit: Duration;
  readonly #about: string;
  #left: number;
  #active = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** A `limit` of 0 means none. `signal` aborts with `outer` too. */
  constructor(limit: Duration, about: string, outer: AbortSignal) {
    this.#limit = limit;
    this.#left = limit;
    this.#about = about;
    this.signal = AbortSignal.any([outer, this.#expiry.signal]);
  }

  /** To be called when a transfer of the image takes its slot, and when it returns it. */
  readonly setActive = (isActive: boolean): void => {
    this.#active += isActive ? 1 : -1;
    if (this.#limit === 0) return;
    if (isActive && this.#active === 1) {
      this.#startedAt = performance.now();
      this.#timer = setTimeout(() => this.#expire(), this.#left);
    }
    if (!isActive && this.#active === 0) {
      clearTimeout(this.#timer);
      this.#left = Math.max(0, this.#left - (performance.now() - this.#startedAt));
    }
  };

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #expire(): void {
    this.#expiry.abort(
      new Failure({
        code: 'PUSH_TIMED_OUT',
        about: this.#about,
        message: `pushing it took longer than ${formatDuration(this.#limit)}`,
        hint: 'give it more time with --push-timeout; the next run copies what is missing',
      }),
    );
  }
}
