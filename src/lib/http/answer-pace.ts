import { type Duration, formatDuration, milliseconds, seconds } from '../duration.ts';
import { formatSize } from '../text/size.ts';
import { HttpFailure } from './http-failure.ts';

/** How slowly an answer may come that is read as a whole, such as a manifest, a list, a token or an error. */
export interface AnswerPace {
  /** How long it may take whatever its size. */
  readonly grace: Duration;
  /** What is needed for each further second. */
  readonly bytesPerSecond: number;
}

/**
 * Many answers share a line. registry.k8s.io lists a repository on one page of a megabyte, and twenty of them at once
 * on 512 kbit/s have 3 KiB/s each: what each brings in the first five minutes is about that. Longer answers need 16
 * KiB/s. So one of 4 MiB, the largest manifest, ends within 10 minutes, and one that trickles at just over what `idle`
 * asks for within 6.
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

  /** Waits until `allowed` milliseconds of the whole answer are over, the last `step` of which begin now. */
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
        message: `its answer comes too slowly to wait for its end (${slowness})`,
        hint: `check the connection to it; an answer has to bring ${formatSize(bytesPerSecond)} a second`,
        transient: true,
      }),
    );
  }
}
