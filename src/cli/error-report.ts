import { ConfigurationFailure } from '../config/problem.ts';
import { describeFailure, type Fault, faultOf } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';

/**
 * Reports the error that ended a command, one line per problem of a configuration file. Returns whose fault it was.
 */
export function reportError(error: unknown, reporter: Reporter, tool: string): Fault {
  if (error instanceof ConfigurationFailure) {
    for (const problem of error.problems) reporter.error(problem.message, problem.place);
    return error.fault;
  }
  const text = describeFailure(error);
  const fault = faultOf(error);
  if (fault !== 'program') reporter.error(text);
  else reporter.error(`${text} (this is a bug in ${tool}; KEEL_DEBUG=1 shows where)`);
  if (error instanceof Error) reporter.detail(error.stack ?? text);
  return fault;
}
