import { type Duration, milliseconds, seconds } from './duration.ts';
import { pause } from './pause.ts';

/** How often something is tried in all, and how long before the second time; the wait grows by half each time. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly interval: Duration;
}

/** A server that asks for more patience than this is left for the next run. */
export const LONGEST_HOLD: Duration = seconds(300);

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Returns whether a further attempt could end differently. */
  readonly isTransient: (error: unknown) => boolean;
  /** Returns when the other side asked to be left alone until, in milliseconds since 1970. */
  readonly heldUntil?: (error: unknown) => number | undefined;
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/**
 * Does something up to `policy.attempts` times and returns its result, or throws its last error as it is. The waits
 * vary by a fifth, so that what failed together does not come back together. Who asks to be left alone for longer is
 * obeyed for five minutes, and not asked again beyond that.
 */
export async function attempt<Result>(
  options: RetryOptions,
  operation: (attempt: number) => Promise<Result>,
): Promise<Result> {
  const { policy, signal } = options;
  for (let number = 1; ; number += 1) {
    signal.throwIfAborted();
    try {
      return await operation(number);
    } catch (error) {
      if (number >= policy.attempts || signal.aborted || !options.isTransient(error)) throw error;
      const hold = (options.heldUntil?.(error) ?? 0) - Date.now();
      if (hold > LONGEST_HOLD) throw error;
      options.onRetry?.(error, number);
      const delay = policy.interval * 1.5 ** (number - 1) * (0.8 + 0.4 * Math.random());
      await pause(milliseconds(Math.max(delay, hold)), signal);
    }
  }
}
