import { Failure } from '../lib/failure.ts';
import { PACK_FLAGS } from '../pack/flags.ts';
import { type PackSettings, parsePackSettings } from '../pack/settings.ts';
import { type Ending, EXIT, type ExitCode } from '../process/exit-code.ts';
import { PUSH_FLAGS } from '../publish/flags.ts';
import { type PushSettings, parsePushSettings } from '../publish/push-settings.ts';
import { flagLabel } from './arguments.ts';
import { followLine } from './command-line.ts';
import type { CommandContext } from './commands.ts';
import { type Parsed, type ProcessLike, runInForeground, wantsJson } from './foreground.ts';
import { createPackerProgram, type PackerInvocation } from './packer-command-line.ts';
import { takePassword } from './password.ts';

/** The implementations of packer's commands. An error is shown, and its fault determines the exit code. */
interface PackerCommands {
  pack(settings: PackSettings, context: CommandContext): Promise<Ending>;
  push(settings: PushSettings, context: CommandContext): Promise<Ending>;
}

const WORDS = {
  name: 'packer',
  stopped: 'there is no package; what was fetched is kept',
  stopping: 'stopping: transfers are cancelled, fetched files are kept; interrupt again to stop at once',
};
const PUSH_WORDS = {
  name: 'packer',
  stopping: 'stopping: uploads are cancelled; interrupt again to stop at once',
};

/** Runs the command on the command line, and returns the exit code. */
export async function runPacker(process: ProcessLike, commands: PackerCommands): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.success;
  const program = createPackerProgram(process.stdout, process.stderr, async (invocation) => {
    exitCode = await runCommand(process, commands, invocation);
  });
  const ended = await followLine(
    program,
    process.argv.slice(2),
    [...PACK_FLAGS, ...PUSH_FLAGS],
    process.stdout,
  );
  return ended ?? exitCode;
}

async function runCommand(
  process: ProcessLike,
  commands: PackerCommands,
  { command, values }: PackerInvocation,
): Promise<ExitCode> {
  const json = wantsJson(values);
  if (command === 'push') {
    const parsed = await readPushSettings(process, values);
    return runInForeground(process, { ...PUSH_WORDS, json }, parsed, commands.push.bind(commands));
  }
  const parsed = await readPackSettings(process, values);
  return runInForeground(process, { ...WORDS, json }, parsed, commands.pack.bind(commands));
}

async function readPushSettings(
  process: ProcessLike,
  given: ReadonlyMap<string, string>,
): Promise<Parsed<PushSettings>> {
  return await withPassword(process, given, 'packer push', (values) => {
    const label = (name: string): string => flagLabel(name, PUSH_FLAGS);
    const parsed = parsePushSettings({ values, environment: process.env, label });
    return { ...parsed, notices: [...openSecrets(given), ...parsed.notices] };
  });
}

/** Returns the settings, with the password from standard input if a flag requests it, or why there is none. */
async function withPassword<Settings>(
  process: ProcessLike,
  given: ReadonlyMap<string, string>,
  command: string,
  parse: (values: ReadonlyMap<string, string>, notices: readonly string[]) => Parsed<Settings>,
): Promise<Parsed<Settings>> {
  try {
    const { values, notices } = await takePassword(given, process.stdin, command);
    return parse(values, notices);
  } catch (error) {
    if (error instanceof Failure) return { ok: false, failures: [error] };
    throw error;
  }
}

/** Returns a warning for each secret on the command line. */
function openSecrets(values: ReadonlyMap<string, string>): string[] {
  return PUSH_FLAGS.filter(({ name, secret }) => secret === true && values.has(name)).map(
    ({ name, environment }) =>
      `--${name}: every user of this machine can read it in the process list; $${environment} keeps it private`,
  );
}

async function readPackSettings(
  process: ProcessLike,
  given: ReadonlyMap<string, string>,
): Promise<Parsed<PackSettings>> {
  return await withPassword(process, given, 'packer', (values, notices) => {
    const label = (name: string): string => flagLabel(name, PACK_FLAGS);
    const parsed = parsePackSettings({ values, environment: process.env, label, hasInput: true });
    return parsed.ok ? { ...parsed, notices: [...notices, ...parsed.notices] } : parsed;
  });
}
