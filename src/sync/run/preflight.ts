import { milliseconds } from '../../lib/duration.ts';
import { isTransient } from '../../lib/failure.ts';
import { pause } from '../../lib/pause.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';

const BETWEEN = milliseconds(500);

/**
 * Runs an operation and, if it fails transiently, once more after half a second. Returns its result. Throws the last
 * failure, or the signal's reason. Unlike a retry it waits for no host that asks for a pause, because someone is waiting
 * for the answer, and always as long, so that of two hosts the same one is reported each time.
 */
export async function twice<Result>(signal: AbortSignal, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    signal.throwIfAborted();
    if (!isTransient(error)) throw error;
  }
  await pause(BETWEEN, signal);
  return await operation();
}

/** Checks that both registries answer. Throws the reason why one does not. */
export async function reachRegistries(
  source: Registry,
  target: Registry,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([source, target].map((registry) => twice(signal, () => registry.ping())));
}

/**
 * Checks that the destination accepts the login, before hours are spent on a run. Writes nothing. `repository` is any
 * repository that the run may push to. Throws `UNAUTHORIZED`, or the reason why it cannot be checked.
 */
export async function proveLogin(
  target: Registry,
  repository: Repository,
  signal: AbortSignal,
): Promise<void> {
  await twice(signal, () => target.logIn(repository));
}
