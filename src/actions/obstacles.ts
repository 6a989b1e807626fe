import { ConfigurationFailure } from '../config/problem.ts';
import { describeFailure, Failure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import { formatRefusal, type Obstacle } from '../summary/refused-run.ts';
import { writeJobSummary } from './job-summary.ts';

/** All inputs that are wrong. */
export class InputsRefused extends Error {
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super('inputs are wrong');
    this.failures = failures;
  }
}

/** The words of a step that has no result. */
interface EndWords {
  /** The error of a step that was stopped. */
  readonly stopped: string;
  /** The headline of its summary. */
  readonly title?: string | undefined;
}

/** Reports why a step has no result, as errors in its log and in the job's summary. */
export async function reportObstacles(
  error: unknown,
  { reporter, signal }: { readonly reporter: Reporter; readonly signal: AbortSignal },
  { stopped, title }: EndWords,
): Promise<void> {
  reporter.close();
  const isStopped = signal.aborted && error === signal.reason;
  const obstacles = isStopped ? [{ text: stopped }] : obstaclesIn(error);
  for (const { text, place } of obstacles) reporter.error(text, place);
  await writeJobSummary(formatRefusal(obstacles, title), reporter);
}

/** Returns each problem of an error on its own. An error of the program comes with its stack. */
function obstaclesIn(error: unknown): Obstacle[] {
  if (error instanceof InputsRefused) {
    return error.failures.map((failure) => ({ text: describeFailure(failure) }));
  }
  if (error instanceof ConfigurationFailure) {
    return error.problems.map(({ message, place }) => ({ text: message, place }));
  }
  if (error instanceof Failure || !(error instanceof Error)) return [{ text: describeFailure(error) }];
  return [{ text: error.stack ?? error.message }];
}
