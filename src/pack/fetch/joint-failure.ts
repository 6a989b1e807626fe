import { describeFailure, Failure, failureCode } from '../../lib/failure.ts';

/** What to say of several failures. */
interface JointWords {
  readonly code: string;
  readonly about: string;
  readonly message: string;
  /** What one of the things is called of which some or all failed, such as `image`; several have an s. */
  readonly noun?: string | undefined;
  /** How many there are, with those that did not fail. */
  readonly total?: number | undefined;
}

/**
 * Returns the one failure for several: a single one as it is, more as `code`, each on a line of its own; those of the same
 * cause share one, with their number.
 */
export function jointFailure(
  failures: readonly unknown[],
  { code, about, message, noun = 'failure', total }: JointWords,
): unknown {
  if (failures.length === 1) return failures[0];
  const lines = [...Map.groupBy(failures, describeFailure)].map(([line, { length }]) => {
    if (length === 1) return `  ${line}`;
    return `  ${length === total ? 'all ' : ''}${length} ${noun}s: ${line}`;
  });
  return new Failure({
    code,
    about,
    message: `${message}\n${lines.join('\n')}`,
    cause: new AggregateError(failures, failures.map(failureCode).join(', ')),
  });
}

/** Waits for all, so that none goes on unheard, and gives their results or what went wrong with each that failed. */
export async function allOrFailures<Result>(
  promises: readonly Promise<Result>[],
): Promise<{ readonly results: readonly Result[]; readonly failures: readonly unknown[] }> {
  const outcomes = await Promise.allSettled(promises);
  return {
    results: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
    failures: outcomes.flatMap((outcome): unknown[] =>
      outcome.status === 'rejected' ? [outcome.reason] : [],
    ),
  };
}
