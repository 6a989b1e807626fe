import type { EventEmitter } from 'node:events';
import { parseSwitch } from '../config/flags/flag-value.ts';
import { type ReportedFailure, reportedFailures } from '../config/reported-failure.ts';
import { describeFailure, type Failure } from '../lib/failure.ts';
import { plainText } from '../lib/text/plain-text.ts';
import { keepCertificateChecks } from '../process/certificate-checks.ts';
import { type Ending, type ExitCode, exitCodeFor } from '../process/exit-code.ts';
import { Interrupt } from '../process/interrupt.ts';
import type { CommandContext } from './commands.ts';
import { reportError } from './error-report.ts';
import type { InputStream } from './password.ts';
import type { TextStream } from './stream.ts';
import { TerminalReporter } from './terminal-reporter.ts';

/** The parts of a process that a command needs. `process` is one. */
export interface ProcessLike extends EventEmitter {
  readonly argv: readonly string[];
  readonly env: Record<string, string | undefined>;
  readonly stdin: InputStream;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  exit(code: number): never;
}

/** The settings with notices for the user, or everything that is wrong with them. */
export type Parsed<Settings> =
  | { readonly ok: true; readonly settings: Settings; readonly notices: readonly string[] }
  | {
      readonly ok: false;
      readonly failures: readonly Failure[];
      /** Shown before the failures, which they may explain. */
      readonly notices?: readonly string[] | undefined;
    };

/** Returns whether the texts of flags ask for JSON, which a value that is neither true nor false does too. */
export function wantsJson(values: ReadonlyMap<string, string>): boolean {
  try {
    return parseSwitch(values.get('json') ?? 'no', '--json');
  } catch {
    return true;
  }
}

/** A tool's name, its words when it is asked to stop, and what it writes when it cannot start. */
interface ToolWords {
  readonly name: string;
  readonly stopping: string;
  /** The result of the run that was stopped, for the closing line. */
  readonly stopped?: string | undefined;
  /** Whether the result is wanted as JSON. */
  readonly json: boolean;
  /** Writes the report of a run whose settings are wrong, in addition to the errors. */
  readonly leave?: RefusalWriter | undefined;
}

type RefusalWriter = (
  failures: readonly Failure[],
  context: Pick<CommandContext, 'reporter' | 'print'>,
) => void;

/**
 * Runs a command at a terminal: shows the problems of its settings, its progress and the error that ended it, and stops
 * it at Ctrl-C. Returns the exit code.
 */
export async function runInForeground<Settings>(
  process: ProcessLike,
  words: ToolWords,
  parsed: Parsed<Settings>,
  work: (settings: Settings, context: CommandContext) => Promise<Ending>,
): Promise<ExitCode> {
  const { stdout, stderr, env } = process;
  const { json } = words;
  let hasResult = false;
  const reporter = new TerminalReporter({ stdout, stderr, environment: env, json });
  const closeReporter = () => reporter.close();
  using interrupt = new Interrupt(
    process,
    () => reporter.warning(words.stopping),
    (code) => {
      reporter.close();
      process.exit(code);
    },
  );
  const print = (text: string) => {
    reporter.close();
    hasResult = true;
    const plain = plainText(text);
    stdout.write(plain.endsWith('\n') ? plain : `${plain}\n`);
  };
  const printFailures = (failures: readonly ReportedFailure[]): void => {
    if (json && !hasResult) print(JSON.stringify({ failures }, undefined, 2));
  };
  // An uncaught exception must not leave the terminal without a cursor.
  process.once('exit', closeReporter);
  const unchecked = keepCertificateChecks(env);
  if (unchecked !== undefined) reporter.warning(unchecked);
  try {
    if (!parsed.ok) {
      for (const notice of parsed.notices ?? []) reporter.warning(notice);
      for (const failure of parsed.failures) reporter.error(describeFailure(failure));
      words.leave?.(parsed.failures, { reporter, print });
      printFailures(parsed.failures.flatMap(reportedFailures));
      return exitCodeFor('usage');
    }
    for (const notice of parsed.notices) reporter.warning(notice);
    const ending = await work(parsed.settings, { reporter, signal: interrupt.signal, print });
    return exitCodeFor(ending, interrupt.stoppedBy);
  } catch (error) {
    const { stoppedBy, signal } = interrupt;
    const isStop = stoppedBy !== undefined && error === signal.reason;
    const ending = isStop ? 'incomplete' : reportError(error, reporter, words.name);
    if (isStop)
      reporter.line(`stopped early, cancelled by ${stoppedBy}: ${words.stopped ?? 'there is no result'}`);
    printFailures(reportedFailures(error));
    return exitCodeFor(ending, interrupt.stoppedBy);
  } finally {
    reporter.close();
    process.off('exit', closeReporter);
  }
}
