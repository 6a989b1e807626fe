import { ConfigurationFailure } from '../config/problem.ts';
import { describeFailure, Failure, failureCode } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import { EXIT, type ExitCode } from '../process/exit-code.ts';

/** Flags or named files that a user has to correct; everything else is the world's fault. */
const USAGE_CODE =
  /_MALFORMED$|^(?:CONFIGURATION|REPORT|PACKAGE)_UNREADABLE$|^(?:STATE_MISSING|OVERLAY_UNUSABLE|REPORTS_DISAGREE)$/;

/** Tells what ended a command, each problem of a configuration file on its own line, and returns the exit code. */
export function reportOutcome(error: unknown, reporter: Reporter, tool: string): ExitCode {
  if (error instanceof ConfigurationFailure) {
    for (const problem of error.problems) reporter.error(problem.message, problem.place);
    return EXIT.usage;
  }
  const text = describeFailure(error);
  if (error instanceof Failure) reporter.error(text);
  else reporter.error(`${text} (this is a fault of ${tool}: KEEL_DEBUG=1 tells where)`);
  if (error instanceof Error) reporter.detail(error.stack ?? text);
  return USAGE_CODE.test(failureCode(error)) ? EXIT.usage : EXIT.failure;
}
