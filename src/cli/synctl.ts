import type { EventEmitter } from 'node:events';
import { CommanderError } from 'commander';
import { parseSwitch } from '../config/flag-value.ts';
import { KUBERNETES_REGISTRY, OLD_KUBERNETES_REGISTRY } from '../config/image-name.ts';
import { describeFailure, Failure } from '../lib/failure.ts';
import { type Host, parseHost, parseReference, type Reference } from '../registry/reference.ts';
import { SYNC_FLAGS } from '../sync/flags.ts';
import { type ParsedSyncSettings, parseSyncSettings, type SyncSettings } from '../sync/settings.ts';
import { expandArguments } from './arguments.ts';
import type { CommandContext, SynctlCommands } from './commands.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { Interrupt } from './interrupt.ts';
import { reportOutcome } from './outcome.ts';
import { type InputStream, readPassword } from './password.ts';
import type { TextStream } from './stream.ts';
import { createSynctlProgram, type Invocation } from './synctl-program.ts';
import { TerminalReporter } from './terminal-reporter.ts';

/** What a command needs of its process; `process` itself is one. */
export interface ProcessLike extends EventEmitter {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: InputStream;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  exit(code: number): never;
}

/** Runs the command that the command line asks for, and gives the code to exit with. */
export async function runSynctl(process: ProcessLike, commands: SynctlCommands): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.success;
  const program = createSynctlProgram(process.stdout, process.stderr, async (invocation) => {
    exitCode = await runCommand(process, commands, invocation);
  });
  const given = process.argv.slice(2);
  try {
    await program.parseAsync(given.length === 0 ? ['--help'] : expandArguments(given, SYNC_FLAGS), {
      from: 'user',
    });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.success : EXIT.usage;
  }
}

async function runCommand(
  process: ProcessLike,
  commands: SynctlCommands,
  invocation: Invocation,
): Promise<ExitCode> {
  const { stdout, stderr, env } = process;
  const parsed = await readSettings(process, invocation);
  const json = parsed.ok && parsed.settings.json;
  const reporter = new TerminalReporter({ stdout, stderr, environment: env, json });
  const closeReporter = () => reporter.close();
  const told = () =>
    reporter.warning('stopping: transfers are given up and the state is saved; once more stops at once');
  using interrupt = new Interrupt(process, told, (code) => {
    reporter.close();
    process.exit(code);
  });
  const print = (text: string) => {
    reporter.close();
    stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  };
  // An exception that nobody caught must not leave a terminal without its cursor.
  process.once('exit', closeReporter);
  try {
    if (!parsed.ok) {
      for (const failure of parsed.failures) reporter.error(describeFailure(failure));
      return EXIT.usage;
    }
    for (const notice of parsed.notices) reporter.warning(notice);
    const context = { reporter, signal: interrupt.signal, print };
    const code = await dispatch(commands, invocation, parsed.settings, context);
    return interrupt.exitCode ?? code;
  } catch (error) {
    if (interrupt.exitCode !== undefined && error === interrupt.signal.reason) return interrupt.exitCode;
    const code = reportOutcome(error, reporter);
    return interrupt.exitCode ?? code;
  } finally {
    reporter.close();
    process.off('exit', closeReporter);
  }
}

/** Reads the flags of a command and, where it is to come from there, the password from standard input. */
async function readSettings(process: ProcessLike, invocation: Invocation): Promise<ParsedSyncSettings> {
  const values = new Map(invocation.values);
  const notices: string[] = [];
  try {
    if (parseSwitch(values.get('password-stdin') ?? 'no', '--password-stdin')) {
      if (values.has('password')) {
        throw new Failure({
          code: 'FLAG_MALFORMED',
          about: '--password-stdin',
          message: 'there is --password as well',
          hint: 'give one of them',
        });
      }
      values.set('password', await readPassword(process.stdin));
    } else if (values.has('password')) {
      notices.push(
        '--password: every user of this machine can read it in the list of processes; ' +
          '--password-stdin and KEEL_PASSWORD keep it private',
      );
    }
  } catch (error) {
    if (error instanceof Failure) return { ok: false, failures: [error] };
    throw error;
  }
  const logsIn = invocation.command !== 'sum' && invocation.command !== 'merge';
  const parsed = parseSyncSettings({
    values,
    environment: logsIn ? process.env : {},
    label: (name) => `--${name}`,
  });
  return parsed.ok ? { ...parsed, notices: [...notices, ...parsed.notices] } : parsed;
}

function dispatch(
  commands: SynctlCommands,
  { command, operands }: Invocation,
  settings: SyncSettings,
  context: CommandContext,
): Promise<ExitCode> {
  switch (command) {
    case 'sync':
      return commands.sync(settings, context);
    case 'check':
      return commands.check(parseImage(operands[0] ?? '', settings.source), settings, context);
    case 'doctor':
      return commands.doctor(settings, context);
    case 'sum':
      return commands.sum(operands[0] ?? settings.database, settings.json, context);
    case 'merge':
      return commands.merge(operands, settings, context);
  }
}

/** Reads an image of a command line: one without a host is an image of the source. */
function parseImage(text: string, source: Host): Reference {
  const namesHost = /^(?:[^/]*[.:][^/]*|localhost)\//.test(text);
  const reference = parseReference(namesHost || text === '' ? text : `${source}/${text}`);
  return reference.host === OLD_KUBERNETES_REGISTRY
    ? { ...reference, host: parseHost(KUBERNETES_REGISTRY) }
    : reference;
}
