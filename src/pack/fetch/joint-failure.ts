import { describeFailure, Failure, failureCode } from '../../lib/failure.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { joinWords } from '../../lib/text/sentence.ts';

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

/** A part that failed. */
interface FailedPart {
  /** What it is called, such as `runc 1.4.3`. Undefined if its failure says so itself. */
  readonly name?: string | undefined;
  readonly error: unknown;
}

const NAMED = 8;

/**
 * Returns one failure for several. A single one only gets the name of its part. Several become `code` with a line for
 * each; those with the same cause share a line, with their number and their names.
 */
export function jointFailure(
  parts: readonly FailedPart[],
  { code, about, message, noun = 'failure', total }: JointWords,
): unknown {
  const failures = parts.map(withName);
  if (failures.length === 1) return failures[0];
  const lines = [...Map.groupBy(parts, ({ error }) => describeFailure(error))].map(([line, group]) => {
    const [only, ...others] = group;
    if (only !== undefined && others.length === 0) return `  ${describeFailure(withName(only))}`;
    if (group.length === total) return `  all ${total} ${noun}s: ${line}`;
    const names = group.flatMap(({ name }) => name ?? []);
    const more = names.length - NAMED;
    const told = more > 0 ? [...names.slice(0, NAMED), `${more} more`] : names;
    return `  ${group.length} ${noun}s${told.length === 0 ? '' : `, ${joinWords(told)}`}: ${line}`;
  });
  return new Failure({
    code,
    about,
    message: `${message}\n${lines.join('\n')}`,
    cause: new AggregateError(failures, failures.map(failureCode).join(', ')),
  });
}

function withName({ name, error }: FailedPart): unknown {
  if (name === undefined || !(error instanceof Failure) || error.about.startsWith(name)) return error;
  const words = { about: name, message: `${error.about}: ${error.message}` };
  if (error instanceof HttpFailure) return error.with(words);
  const { code, hint, cause, fault, transient } = error;
  return new Failure({ code, hint, cause, fault, transient, ...words });
}

/**
 * Waits for all, so that none continues unobserved. Returns the results of those that succeeded, and the errors of the
 * others with their positions.
 */
export async function allOrFailures<Result>(promises: readonly Promise<Result>[]): Promise<{
  readonly results: readonly Result[];
  readonly failures: readonly unknown[];
  readonly positions: readonly number[];
}> {
  const outcomes = await Promise.allSettled(promises);
  return {
    results: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
    failures: outcomes.flatMap((outcome): unknown[] =>
      outcome.status === 'rejected' ? [outcome.reason] : [],
    ),
    positions: outcomes.flatMap(({ status }, position) => (status === 'rejected' ? [position] : [])),
  };
}
