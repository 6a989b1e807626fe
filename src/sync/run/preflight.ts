import { type Duration, milliseconds, seconds } from '../../lib/duration.ts';
import { Failure, failureCode, isTransient } from '../../lib/failure.ts';
import { pause } from '../../lib/pause.ts';
import { withinSignal } from '../../lib/within-signal.ts';
import { cancelUpload, openUpload } from '../../registry/blob/blob-upload.ts';
import { mayBeOfSite, orStranger } from '../../registry/likeness.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';

/** The longest pause that a host can request before a run has done anything. A longer one ends the run. */
const LONGEST_PAUSE = seconds(60);
/** After the second host failed, how long to wait for a failure of the first, so that each run names the same host. */
const GRACE = seconds(1);

function isWorthRepeating(error: unknown): boolean {
  const retryAt = error instanceof Failure ? error.retryAt : undefined;
  return isTransient(error) && (retryAt ?? 0) - Date.now() <= LONGEST_PAUSE;
}

/**
 * Runs an operation at a registry with the attempts of the settings, and returns its result. Throws the last failure, or
 * the signal's reason. Unlike other retries it does not wait for a host that asks for a pause of more than a minute.
 */
export function repeatedly<Result>(
  registry: Registry,
  signal: AbortSignal,
  operation: () => Promise<Result>,
): Promise<Result> {
  return registry.retrying(signal, operation, isWorthRepeating);
}

/**
 * Checks that both registries answer, with the attempts of the settings. Throws the reason why one does not. If both
 * fail, that is the reason of the source. It does not wait for a silent registry after the other has failed for good.
 */
export async function reachRegistries(
  source: Registry,
  target: Registry,
  signal: AbortSignal,
): Promise<void> {
  let missing = [...new Set([source, target])];
  for (let attempt = 1; ; attempt += 1) {
    const waits = await askOnce(missing, attempt, signal);
    missing = missing.filter((registry) => waits.has(registry));
    if (missing.length === 0) return;
    await pause(milliseconds(Math.max(...waits.values())), signal);
  }
}

/** Pings registries at the same time. Returns those to ping again, with the pause before that. */
async function askOnce(
  registries: readonly Registry[],
  attempt: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<Registry, Duration>> {
  const waits = new Map<Registry, Duration>();
  const failures = new Map<Registry, unknown>();
  const over = new AbortController();
  const failed = Promise.withResolvers<void>();
  const ask = async (registry: Registry): Promise<void> => {
    try {
      await registry.ping();
    } catch (error) {
      try {
        waits.set(registry, registry.pauseAfter(error, attempt, isWorthRepeating));
      } catch (failure) {
        failures.set(registry, failure);
        failed.resolve();
      }
    }
  };
  const verdict = async (): Promise<void> => {
    await failed.promise;
    const isFirst = registries.slice(0, 1).some((registry) => failures.has(registry));
    if (!isFirst) await pause(GRACE, over.signal).catch(() => undefined);
  };
  try {
    await withinSignal(Promise.race([Promise.all(registries.map(ask)), verdict()]), signal);
  } finally {
    over.abort();
  }
  const named = registries.find((registry) => failures.has(registry));
  if (named !== undefined) throw failures.get(named);
  return waits;
}

/**
 * Checks that a destination is a registry if its ping did not show that. It requests `repository` and, if that shows
 * nothing, opens an upload there and cancels it. It sends nothing to a destination that answered as registries do.
 * Throws `NOT_A_REGISTRY`.
 */
export async function proveRegistry(
  target: Registry,
  repository: Repository,
  signal: AbortSignal,
): Promise<void> {
  if (target.likeness.isProven) return;
  try {
    await target.listTags(repository, signal);
  } catch (error) {
    signal.throwIfAborted();
    const reason = orStranger(target, error);
    // Any other refusal is reported where it matters.
    if (failureCode(reason) === 'NOT_A_REGISTRY' && !(await takesUploads(target, repository, signal)))
      throw reason;
  }
}

/** Returns whether a host may be a registry, by what it answers to an upload. */
async function takesUploads(target: Registry, repository: Repository, signal: AbortSignal): Promise<boolean> {
  try {
    const upload = await repeatedly(target, signal, () => openUpload(target, repository, signal));
    if (typeof upload === 'object') await cancelUpload(target, upload);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    return target.likeness.isProven || !mayBeOfSite(error);
  }
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
  await repeatedly(target, signal, () => target.logIn(repository));
}
