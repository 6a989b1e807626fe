import { type Duration, milliseconds } from './duration.ts';
import { pause } from './pause.ts';

/** How often something is tried in all, and how long before the second time; the wait grows by half each time. */
export interface AttemptPolicy {
  readonly attempts: number;
  readonly interval: Duration;
}

export interface AttemptOptions {
  readonly policy: AttemptPolicy;
  readonly signal: AbortSignal;
  /** Tells whether a further attempt could end differently. */
  readonly isTransient: (error: unknown) => boolean;
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/**
 * Does something up to `policy.attempts` times and gives its result, or throws its last error as it is. The waits
 * vary by a fifth, so that what failed together does not come back together.
 */
export async function attempt<Result>(
  options: AttemptOptions,
  operation: (attempt: number) => Promise<Result>,
): Promise<Result> {
  const { policy, signal } = options;
  for (let number = 1; ; number += 1) {
    signal.throwIfAborted();
    try {
      return await operation(number);
    } catch (error) {
      if (number >= policy.attempts || signal.aborted || !options.isTransient(error)) throw error;
      options.onRetry?.(error, number);
      const delay = policy.interval * 1.5 ** (number - 1) * (0.8 + 0.4 * Math.random());
      await pause(milliseconds(delay), signal);
    }
  }
}
