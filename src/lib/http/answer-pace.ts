import { type Duration, formatDuration, milliseconds, seconds } from '../duration.ts';
import { formatSize } from '../text/size.ts';
import { HttpFailure } from './http-failure.ts';

/** How slowly an answer may arrive if it is read as a whole, such as a manifest, a list, a token or an error. */
export interface AnswerPace {
  /** How long it may take, whatever its size. */
  readonly grace: Duration;
  /** How many bytes it must have for each further second. */
  readonly bytesPerSecond: number;
}

/**
 * Many answers share a line. registry.k8s.io lists a repository on one page of a megabyte. Twenty of these pages at once on
 * 512 kbit/s arrive at 3 KiB/s each, and take about five minutes. Longer answers must arrive at 16 KiB/s. An answer of
 * 4 MiB, the largest manifest, thus ends within 10 minutes. One that trickles just fast enough for `idle` ends within 6.
 */
export const DEFAULT_PACE: AnswerPace = { grace: seconds(300), bytesPerSecond: 16 * 1024 };

/** Counts the bytes of an answer, and calls `onExpiry` once when they fall behind its pace. */
export class PaceWatch implements Disposable {
  readonly #pace: AnswerPace;
  readonly #onExpiry: (failure: HttpFailure) => void;
  readonly #host: string;
  #timer: NodeJS.Timeout | undefined;
  #received = 0;

  constructor(pace: AnswerPace, host: string, onExpiry: (failure: HttpFailure) => void) {
    this.#pace = pace;
    this.#host = host;
    this.#onExpiry = onExpiry;
    if (pace.grace > 0) this.#wait(pace.grace, pace.grace);
  }

  /** Adds bytes that arrived. */
  count(bytes: number): void {
    this.#received += bytes;
  }

  /** Stops watching, because the answer is complete or has failed. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  /** Waits for `step` milliseconds, after which the answer has taken `allowed` milliseconds in all. */
  #wait(step: number, allowed: number): void {
    this.#timer = setTimeout(() => this.#check(allowed), step);
  }

  #check(allowed: number): void {
    const { grace, bytesPerSecond } = this.#pace;
    const earned = grace + (this.#received * 1000) / bytesPerSecond;
    if (earned - allowed >= 1) {
      this.#wait(earned - allowed, earned);
      return;
    }
    const slowness = `${formatSize(this.#received)} within ${formatDuration(milliseconds(allowed))}`;
    this.#onExpiry(
      new HttpFailure({
        code: 'TIMED_OUT',
        about: this.#host,
        message: `it sends its answer too slowly (${slowness})`,
        hint: `check the connection to it; an answer must arrive at ${formatSize(bytesPerSecond)} a second or more`,
        transient: true,
      }),
    );
  }
}
