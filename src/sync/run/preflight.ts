import { milliseconds } from '../../lib/duration.ts';
import { isTransient } from '../../lib/failure.ts';
import { pause } from '../../lib/pause.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';

const SECOND_TRY_AFTER = milliseconds(500);

/**
 * Does something, and where it failed transiently, once more after half a second. Returns the result. Throws the last
 * failure, or the signal's reason.
 */
export async function twice<Result>(signal: AbortSignal, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    if (!isTransient(error)) throw error;
    await pause(SECOND_TRY_AFTER, signal);
    return operation();
  }
}

/** Finds out in a moment whether both registries answer. Throws what stands in the way. */
export async function reachRegistries(
  source: Registry,
  target: Registry,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([source, target].map((registry) => twice(signal, () => registry.ping())));
}

/**
 * Finds out whether the login at the destination is taken, before hours are spent on it; nothing is written.
 * `repository` is any that the run may push to. Throws `UNAUTHORIZED` and what else stands in the way.
 */
export async function proveLogin(
  target: Registry,
  repository: Repository,
  signal: AbortSignal,
): Promise<void> {
  await twice(signal, () => target.logIn(repository));
}
