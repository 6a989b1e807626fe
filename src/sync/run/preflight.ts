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
