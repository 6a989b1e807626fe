import { milliseconds } from '../../lib/duration.ts';
import { type RetryPolicy, retry } from '../../lib/retry.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';

const TWICE: RetryPolicy = { attempts: 2, interval: milliseconds(500) };

/**
 * Runs an operation and, if it fails transiently, once more after half a second. Returns its result. Throws the last
 * failure, or the signal's reason.
 */
export function twice<Result>(signal: AbortSignal, operation: () => Promise<Result>): Promise<Result> {
  return retry({ policy: TWICE, signal }, operation);
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
