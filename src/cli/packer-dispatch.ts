import { Failure } from '../lib/failure.ts';
import { PACK_FLAGS } from '../pack/flags.ts';
import { type PackSettings, parsePackSettings } from '../pack/settings.ts';
import { type Ending, EXIT, type ExitCode } from '../process/exit-code.ts';
import { PUSH_FLAGS } from '../publish/flags.ts';
import { type PushSettings, parsePushSettings } from '../publish/push-settings.ts';
import { flagLabel } from './arguments.ts';
import { followLine } from './command-line.ts';
import type { CommandContext } from './commands.ts';
import { type Parsed, type ProcessLike, runInForeground } from './foreground.ts';
import { createPackerProgram, type PackerInvocation } from './packer-command-line.ts';
import { takePassword } from './password.ts';

/** The implementations of packer's commands. An error is shown, and its fault determines the exit code. */
interface PackerCommands {
  pack(settings: PackSettings, context: CommandContext): Promise<Ending>;
  push(settings: PushSettings, context: CommandContext): Promise<Ending>;
}

const WORDS = {
  name: 'packer',
  stopping: 'stopping: transfers are given up, what was fetched is kept; once more stops at once',
};
const PUSH_WORDS = { name: 'packer', stopping: 'stopping: uploads are given up; once more stops at once' };

/** Runs the command on the command line, and returns the exit code. */
export async function runPacker(process: ProcessLike, commands: PackerCommands): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.success;
  const program = createPackerProgram(process.stdout, process.stderr, async (invocation) => {
    exitCode = await runCommand(process, commands, invocation);
  });
  const ended = await followLine(program, process.argv.slice(2), [...PACK_FLAGS, ...PUSH_FLAGS]);
  return ended ?? exitCode;
}

async function runCommand(
  process: ProcessLike,
  commands: PackerCommands,
  { command, values }: PackerInvocation,
): Promise<ExitCode> {
  if (command === 'push') {
    const label = (name: string): string => flagLabel(name, PUSH_FLAGS);
    const parsed = parsePushSettings({ values, environment: process.env, label });
    const told = { ...parsed, notices: [...openSecrets(values), ...parsed.notices] };
    return runInForeground(process, PUSH_WORDS, told, commands.push.bind(commands));
  }
  const parsed = await readPackSettings(process, values);
  return runInForeground(process, WORDS, parsed, commands.pack.bind(commands));
}

/** Returns a warning for each secret on the command line. */
function openSecrets(values: ReadonlyMap<string, string>): string[] {
  return PUSH_FLAGS.filter(({ name, secret }) => secret === true && values.has(name)).map(
    ({ name, environment }) =>
      `--${name}: every user of this machine can read it in the list of processes; $${environment} keeps it private`,
  );
}

async function readPackSettings(
  process: ProcessLike,
  given: ReadonlyMap<string, string>,
): Promise<Parsed<PackSettings>> {
  try {
    const { values, notices } = await takePassword(given, process.stdin, 'packer');
    const label = (name: string): string => flagLabel(name, PACK_FLAGS);
    const parsed = parsePackSettings({ values, environment: process.env, label });
    return parsed.ok ? { ...parsed, notices: [...notices, ...parsed.notices] } : parsed;
  } catch (error) {
    if (error instanceof Failure) return { ok: false, failures: [error] };
    throw error;
  }
}
