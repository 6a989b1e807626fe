import { Failure, failureCode } from '../lib/failure.ts';
import type { Place } from '../lib/reporter.ts';
import { ConfigurationFailure, formatPlace } from './problem.ts';

/** A failure in the form of JSON reports. */
export interface ReportedFailure {
  /** A literal for programs. */
  readonly code: string;
  /** An image, a host, a file, a flag. Missing for an error of the program. */
  readonly about?: string | undefined;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Where it is in a configuration file. */
  readonly place?: Place | undefined;
  /** The failures that it summarizes. */
  readonly failures?: readonly ReportedFailure[] | undefined;
}

/** Returns an error in the form of JSON reports. A configuration file has one part for each of its problems. */
export function reportedFailures(error: unknown): ReportedFailure[] {
  if (error instanceof ConfigurationFailure) {
    const { code } = error;
    return error.problems.map(({ message, place }) => ({ code, about: place.file, message, place }));
  }
  const isStop = error instanceof DOMException && error.name === 'AbortError';
  const code = isStop ? 'INTERRUPTED' : failureCode(error);
  if (!(error instanceof Failure))
    return [{ code, message: error instanceof Error ? error.message : String(error) }];
  const { about, message, hint, cause } = error;
  const parts: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [];
  if (parts.length === 0 || !parts.every((part) => part instanceof Failure))
    return [{ code, about, message, hint }];
  // The lines after the first one are for people, and repeat the parts.
  const [first = message] = message.split('\n');
  return [{ code, about, message: first, hint, failures: parts.flatMap(reportedFailures) }];
}

/** Returns the line that shows such a failure to the user: `about: message (hint)`. */
export function describeReported({ about, message, hint, place }: ReportedFailure): string {
  const what = place === undefined ? about : formatPlace(place);
  return `${what === undefined ? '' : `${what}: `}${message}${hint === undefined ? '' : ` (${hint})`}`;
}
