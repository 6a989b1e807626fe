import { describeFailure, Failure, failureCode } from '../lib/failure.ts';

/** Gives the one failure for several: a single one as it is, more as `code`, each on a line of its own. */
export function jointFailure(
  failures: readonly unknown[],
  { code, about, message }: { readonly code: string; readonly about: string; readonly message: string },
): unknown {
  if (failures.length === 1) return failures[0];
  return new Failure({
    code,
    about,
    message: `${message}\n${failures.map((failure) => `  ${describeFailure(failure)}`).join('\n')}`,
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
