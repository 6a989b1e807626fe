import { describeFailure, Failure, failureCode } from '../../lib/failure.ts';

/** The words for several failures. */
interface JointWords {
  readonly code: string;
  readonly about: string;
  readonly message: string;
  /** The singular of what failed, such as `image`; its plural must end in s. */
  readonly noun?: string | undefined;
  /** How many there are, including those that did not fail. */
  readonly total?: number | undefined;
}

/**
 * Returns one failure for several: a single one unchanged, more than one as `code` with a line for each. Those with the
 * same cause share a line, with their number.
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

/**
 * Waits for all, so that none goes on unobserved. Returns the results of those that succeeded and the errors of the
 * others.
 */
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
