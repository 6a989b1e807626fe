import type { EventEmitter } from 'node:events';
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

/** A tool's name, and its words when it is asked to stop. */
interface ToolWords {
  readonly name: string;
  readonly stopping: string;
}

/**
 * Runs a command at a terminal: shows what is wrong with its settings, its progress and the error that ended it, and
 * stops it at Ctrl-C. Returns the exit code.
 */
export async function runInForeground<Settings extends { readonly json: boolean }>(
  process: ProcessLike,
  words: ToolWords,
  parsed: Parsed<Settings>,
  work: (settings: Settings, context: CommandContext) => Promise<Ending>,
): Promise<ExitCode> {
  const { stdout, stderr, env } = process;
  const json = parsed.ok && parsed.settings.json;
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
    const plain = plainText(text);
    stdout.write(plain.endsWith('\n') ? plain : `${plain}\n`);
  };
  // An uncaught exception must not leave the terminal without a cursor.
  process.once('exit', closeReporter);
  const unchecked = keepCertificateChecks(env);
  if (unchecked !== undefined) reporter.warning(unchecked);
  try {
    if (!parsed.ok) {
      for (const notice of parsed.notices ?? []) reporter.warning(notice);
      for (const failure of parsed.failures) reporter.error(describeFailure(failure));
      return exitCodeFor('usage');
    }
    for (const notice of parsed.notices) reporter.warning(notice);
    const ending = await work(parsed.settings, { reporter, signal: interrupt.signal, print });
    return exitCodeFor(ending, interrupt.stoppedBy);
  } catch (error) {
    const isStop = interrupt.stoppedBy !== undefined && error === interrupt.signal.reason;
    const ending = isStop ? 'incomplete' : reportError(error, reporter, words.name);
    return exitCodeFor(ending, interrupt.stoppedBy);
  } finally {
    reporter.close();
    process.off('exit', closeReporter);
  }
}
