import { type Duration, milliseconds, seconds } from './duration.ts';
import { Failure, isTransient } from './failure.ts';
import { pause } from './pause.ts';

/**
 * How many attempts there are in all, and how long the pause before the second is. Each further pause is half as long
 * again.
 */
export interface RetryPolicy {
  readonly attempts: number;
  readonly interval: Duration;
}

/** The longest wait that a server can ask for. If it asks for more, the operation is left for the next run. */
export const LONGEST_HOLD: Duration = seconds(300);

interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Called for each failed attempt that will be repeated. */
  readonly onRetry?: ((error: unknown, attempt: number) => void) | undefined;
  /**
   * Decides which errors are worth another attempt; by default the transient ones. It is for operations that change
   * something themselves before they try again.
   */
  readonly isWorthRepeating?: ((error: unknown) => boolean) | undefined;
  /** Returns which of several requests of the operation failed. Each of them has all attempts. */
  readonly requestOf?: ((error: unknown) => string | undefined) | undefined;
}

/**
 * Runs an operation until it succeeds, with `policy.attempts` attempts, and returns its result. Throws the last error
 * unchanged, or the signal's reason. The pauses vary by a fifth, so that operations that failed together are not
 * repeated together. After a failure with `retryAt` the pause lasts at least until then; if that is more than five
 * minutes away, there is no further attempt. If attempts are left and the failure has a `deferral`, throws that instead.
 */
export async function retry<Result>(
  options: RetryOptions,
  operation: (attempt: number) => Promise<Result>,
): Promise<Result> {
  const { policy, signal, onRetry, isWorthRepeating, requestOf = () => undefined } = options;
  const failures = new Map<string | undefined, number>();
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await operation(attempt);
    } catch (error) {
      if (signal.aborted) throw error;
      const request = requestOf(error);
      const count = (failures.get(request) ?? 0) + 1;
      failures.set(request, count);
      const wait = pauseAfter(error, count, policy, isWorthRepeating);
      onRetry?.(error, attempt);
      await pause(wait, signal);
    }
  }
}

/**
 * Returns the pause after the failed attempt number `attempt`, under the rules of `retry`. Throws the error, or its
 * deferral, if there is no further attempt.
 */
export function pauseAfter(
  error: unknown,
  attempt: number,
  policy: RetryPolicy,
  isWorthRepeating: (error: unknown) => boolean = isTransient,
): Duration {
  if (attempt >= policy.attempts || !isWorthRepeating(error)) throw error;
  if (error instanceof Failure && error.deferral !== undefined) throw error.deferral;
  const retryAt = error instanceof Failure ? error.retryAt : undefined;
  const hold = (retryAt ?? 0) - Date.now();
  if (hold > LONGEST_HOLD) throw error;
  const delay = policy.interval * 1.5 ** (attempt - 1) * (0.8 + 0.4 * Math.random());
  return milliseconds(Math.max(delay, hold));
}
