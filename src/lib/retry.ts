import { type Duration, milliseconds, seconds } from './duration.ts';
import { Failure, isTransient } from './failure.ts';
import { pause } from './pause.ts';

/** How often something is tried in all, and how long before the second time; the wait grows by half each time. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly interval: Duration;
}

/** A server that asks for more patience than this is left for the next run. */
export const LONGEST_HOLD: Duration = seconds(300);

interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Told each failed attempt that will be repeated. */
  readonly onRetry?: ((error: unknown, attempt: number) => void) | undefined;
  /**
   * Which failures are worth another attempt: the transient ones, unless said otherwise by an operation that first changes
   * what made it fail.
   */
  readonly isWorthRepeating?: ((error: unknown) => boolean) | undefined;
}

/**
 * Does something up to `policy.attempts` times and returns its result, or throws its last error as it is. The waits
 * vary by a fifth, so that what failed together does not come back together. A failure with `retryAt` is not repeated
 * before then, and not at all if that is more than five minutes away.
 */
export async function retry<Result>(
  options: RetryOptions,
  operation: (attempt: number) => Promise<Result>,
): Promise<Result> {
  const { policy, signal, onRetry, isWorthRepeating = isTransient } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await operation(attempt);
    } catch (error) {
      if (attempt >= policy.attempts || signal.aborted || !isWorthRepeating(error)) throw error;
      const retryAt = error instanceof Failure ? error.retryAt : undefined;
      const hold = (retryAt ?? 0) - Date.now();
      if (hold > LONGEST_HOLD) throw error;
      onRetry?.(error, attempt);
      const delay = policy.interval * 1.5 ** (attempt - 1) * (0.8 + 0.4 * Math.random());
      await pause(milliseconds(Math.max(delay, hold)), signal);
    }
  }
}
