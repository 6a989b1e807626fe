import { setTimeout as wait } from 'node:timers/promises';
import { type Duration, LONGEST_DURATION } from './duration.ts';

/** Resolves after a duration. Rejects with the signal's reason; node:timers would reject with an AbortError. */
export async function pause(duration: Duration, signal: AbortSignal): Promise<void> {
  try {
    await wait(Math.min(duration, LONGEST_DURATION), undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
