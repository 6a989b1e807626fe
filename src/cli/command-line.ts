import { Command, CommanderError } from 'commander';
import type { Flag } from '../config/flags/flag.ts';
import { reportedFailures } from '../config/reported-failure.ts';
import { Failure } from '../lib/failure.ts';
import { withoutSecrets } from '../lib/text/hidden-secrets.ts';
import { withPlainCharacters } from '../lib/text/look-alike.ts';
import { type EXIT_CODES, type ExitCode, exitCodeFor } from '../process/exit-code.ts';
import { VERSION } from '../process/version.ts';
import { expandArguments, optionTerm } from './arguments.ts';
import { helpEnding, requireKnownHelp } from './help.ts';
import type { TextStream } from './stream.ts';

/**
 * Returns a commander program that writes to these streams and throws `CommanderError` instead of ending the process.
 */
export function openProgram(
  name: string,
  stdout: TextStream,
  stderr: TextStream,
  subcommandTerm: (command: Command) => string,
): Command {
  return new Command(name)
    .helpCommand('help [command]', 'show help for a command')
    .configureHelp({ optionTerm, subcommandTerm })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(withoutSecrets(text)),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
}

/** Adds to a command the flags and texts that all commands have. */
export function finishCommand(command: Command, examples: readonly string[], codes: typeof EXIT_CODES): void {
  command
    .version(VERSION, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError(`See "${fullName(command)} --help".`)
    .addHelpText('after', helpEnding(examples, codes));
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

/**
 * Runs a program for a command line. `flags` are those of all its commands. Returns the exit code if the command line
 * was wrong or requested help, else undefined. If a wrong one requests JSON, the failure is printed as JSON.
 */
export async function followLine(
  program: Command,
  given: readonly string[],
  flags: readonly Flag[],
  stdout: TextStream,
): Promise<ExitCode | undefined> {
  try {
    requireKnownHelp(program, given);
    refuseLongDashes(program, given);
    await program.parseAsync(expandArguments(given, flags), { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0 && asksForJson(given)) {
      const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
      const failure = new Failure({
        code: 'FLAG_MALFORMED',
        fault: 'usage',
        about: program.name(),
        message,
      });
      stdout.write(`${JSON.stringify({ failures: reportedFailures(failure) }, undefined, 2)}\n`);
    }
    return exitCodeFor(error.exitCode === 0 ? 'complete' : 'usage');
  }
}

/** Even a command line that cannot be parsed may request its failure as JSON. */
function asksForJson(given: readonly string[]): boolean {
  const end = given.indexOf('--');
  const line = end < 0 ? given : given.slice(0, end);
  return line.includes('--json') || line.includes('--json=true');
}

/** Word processors and chat programs turn two short dashes into a long one. */
function refuseLongDashes(program: Command, given: readonly string[]): void {
  const end = given.indexOf('--');
  const line = end < 0 ? given : given.slice(0, end);
  const pasted = line.find((argument) => /^[\u2010-\u2015\u2212\uff0d]/.test(argument));
  if (pasted === undefined) return;
  const name = withPlainCharacters(pasted).replace(/^-+/, '');
  program.error(
    `error: ${pasted} starts with another kind of dash: write ${name.length === 1 ? '-' : '--'}${name}`,
  );
}
