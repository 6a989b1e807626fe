import { CommanderError } from 'commander';
import { KUBERNETES_REGISTRY, OLD_KUBERNETES_REGISTRY } from '../config/image-name.ts';
import { Failure } from '../lib/failure.ts';
import { type Host, parseHost, parseReference, type Reference } from '../registry/reference.ts';
import { SYNC_FLAGS } from '../sync/flags.ts';
import { type ParsedSyncSettings, parseSyncSettings, type SyncSettings } from '../sync/settings.ts';
import { expandArguments } from './arguments.ts';
import type { CommandContext, SynctlCommands } from './commands.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { type ProcessLike, runInForeground } from './foreground.ts';
import { takePassword } from './password.ts';
import { createSynctlProgram, type Invocation } from './synctl-program.ts';

export type { ProcessLike } from './foreground.ts';

const WORDS = {
  name: 'synctl',
  stopping: 'stopping: transfers are given up and the state is saved; once more stops at once',
};

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
  const parsed = await readSettings(process, invocation);
  return runInForeground(process, WORDS, parsed, (settings, context) =>
    dispatch(commands, invocation, settings, context),
  );
}

/** Reads the flags of a command and, where it is to come from there, the password from standard input. */
async function readSettings(process: ProcessLike, invocation: Invocation): Promise<ParsedSyncSettings> {
  try {
    const { values, notices } = await takePassword(invocation.values, process.stdin, 'synctl sync');
    const logsIn = invocation.command !== 'sum' && invocation.command !== 'merge';
    const environment = logsIn ? process.env : {};
    const parsed = parseSyncSettings({ values, environment, label: (name) => `--${name}` });
    return parsed.ok ? { ...parsed, notices: [...notices, ...parsed.notices] } : parsed;
  } catch (error) {
    if (error instanceof Failure) return { ok: false, failures: [error] };
    throw error;
  }
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
