import { ConfigurationFailure } from '../config/problem.ts';
import { describeFailure, Failure } from '../lib/failure.ts';
import type { Obstacle } from '../summary/refusal.ts';

/** Several settings that are wrong, told at once. */
export class InputsRefused extends Error {
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super('inputs are wrong');
    this.failures = failures;
  }
}

/** Returns what an error says, each problem by itself; what is a fault of ours comes with its stack. */
export function obstaclesIn(error: unknown): Obstacle[] {
  if (error instanceof InputsRefused)
    return error.failures.map((failure) => ({ text: describeFailure(failure) }));
  if (error instanceof ConfigurationFailure) {
    return error.problems.map(({ message, place }) => ({ text: message, place }));
  }
  if (error instanceof Failure || !(error instanceof Error)) return [{ text: describeFailure(error) }];
  return [{ text: error.stack ?? error.message }];
}
