import { setTimeout as wait } from 'node:timers/promises';
import type { Repository } from '../registry/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { isTransient } from '../registry/registry-failure.ts';

const SECOND_TRY_AFTER_MILLISECONDS = 500;

async function twice<Result>(signal: AbortSignal, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    if (!isTransient(error)) throw error;
    await wait(SECOND_TRY_AFTER_MILLISECONDS, undefined, { signal });
    return operation();
  }
}

/**
 * Finds out in a moment whether a run can work at all: both registries answer and the login at the destination is
 * taken. Nothing is written. Throws what stands in the way, before hours are spent on it.
 */
export async function preflight(parts: {
  readonly source: Registry;
  readonly target: Registry;
  /** Any repository that the run may push to. */
  readonly repository: Repository;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { source, target, repository, signal } = parts;
  await Promise.all([twice(signal, () => source.greet()), twice(signal, () => target.logIn(repository))]);
}
