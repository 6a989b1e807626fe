import { FlagReader } from '../config/flags/flag-reader.ts';
import type { FlagSource } from '../config/flags/flag-source.ts';
import { KUBERNETES_REGISTRY, OLD_KUBERNETES_REGISTRY } from '../config/image-set-name.ts';
import { parseArchitecture } from '../config/kubernetes/architecture.ts';
import type { KubernetesWord } from '../config/kubernetes/kubernetes-word.ts';
import { ONE_VERSION_HINT, parseKubernetesWord } from '../config/kubernetes/word-parser.ts';
import { Failure } from '../lib/failure.ts';
import { type Ending, EXIT, type ExitCode } from '../process/exit-code.ts';
import {
  type Host,
  parseHost,
  parseReference,
  type Reference,
  startsWithHost,
} from '../registry/oci/reference.ts';
import { CHECK_FLAGS, type CheckFlagName } from '../sync/check/check-flags.ts';
import type { InstallationChoice } from '../sync/check/installation.ts';
import { DOCTOR_FLAGS } from '../sync/doctor/doctor-flags.ts';
import { SYNC_FLAGS } from '../sync/flags.ts';
import { parseSyncSettings, type SyncSettings } from '../sync/settings.ts';
import { flagLabel } from './arguments.ts';
import { followLine } from './command-line.ts';
import type { CommandContext, SynctlCommands } from './commands.ts';
import { type Parsed, type ProcessLike, runInForeground, wantsJson } from './foreground.ts';
import { takePassword } from './password.ts';
import { leaveWrongFlags } from './sync-command.ts';
import { createSynctlProgram, type Invocation } from './synctl-command-line.ts';

const STOPPING = 'stopping: transfers are cancelled and the state is saved; interrupt again to stop at once';
const STOPPING_OTHERS = 'stopping: requests are cancelled; interrupt again to stop at once';

/** Runs the command on the command line, and returns the exit code. */
export async function runSynctl(process: ProcessLike, commands: SynctlCommands): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.success;
  const program = createSynctlProgram(process.stdout, process.stderr, async (invocation) => {
    exitCode = await runCommand(process, commands, invocation);
  });
  const given = process.argv.slice(2);
  const line = given.length === 0 ? ['--help'] : given;
  return (await followLine(program, line, [...SYNC_FLAGS, ...CHECK_FLAGS], process.stdout)) ?? exitCode;
}

async function runCommand(
  process: ProcessLike,
  commands: SynctlCommands,
  invocation: Invocation,
): Promise<ExitCode> {
  const parsed = await readSettings(process, invocation);
  const json = wantsJson(invocation.values);
  const words =
    invocation.command === 'sync'
      ? {
          stopping: STOPPING,
          stopped: 'nothing was mirrored',
          leave: (failures: readonly Failure[], context: Pick<CommandContext, 'reporter' | 'print'>) =>
            leaveWrongFlags(flagsOf(process, invocation), { failures, json }, context),
        }
      : { stopping: STOPPING_OTHERS };
  return runInForeground(process, { name: 'synctl', json, ...words }, parsed, (settings, context) =>
    dispatch(commands, invocation, settings, context),
  );
}

/** Returns the source of the texts of a command's flags. */
function flagsOf({ env }: ProcessLike, { values }: Pick<Invocation, 'values'>): FlagSource {
  return { values, environment: env, label: (name: string) => flagLabel(name, SYNC_FLAGS) };
}

/** The settings of a run, and of `synctl check --kubernetes`. */
interface SynctlSettings extends SyncSettings {
  readonly installation?: InstallationChoice | undefined;
}

/** Returns the installation to check if `--kubernetes` is set, and the problems of it or of the operands. */
function readSubject(
  { operands }: Invocation,
  from: FlagSource,
): { readonly installation: InstallationChoice | undefined; readonly failures: readonly Failure[] } {
  const flags = new FlagReader<CheckFlagName>(CHECK_FLAGS, from);
  const word = flags.optional('kubernetes', parseOneVersion);
  const architecture = flags.required('arch', parseArchitecture);
  if (flags.text('kubernetes') === undefined && operands.length === 0) {
    const hint = 'write synctl check pause, or synctl check --kubernetes 1.37.1';
    const message = 'name an image, or give --kubernetes';
    flags.failures.push(
      new Failure({ code: 'FLAG_MALFORMED', fault: 'usage', about: 'check', message, hint }),
    );
  }
  if (flags.text('kubernetes') !== undefined && operands.length > 0) {
    flags.refuse(
      'kubernetes',
      `it cannot be combined with the image "${operands[0]}"`,
      'give only one of them',
    );
  }
  const installation = word === undefined ? undefined : { word, architecture };
  return { installation, failures: flags.failures };
}

/** Returns a word that means one version. Throws `KUBERNETES_VERSION_MALFORMED`. */
function parseOneVersion(text: string, about: string): KubernetesWord {
  const word = parseKubernetesWord(text, about, ONE_VERSION_HINT);
  if (word.kind !== 'supported') return word;
  throw new Failure({
    code: 'KUBERNETES_VERSION_MALFORMED',
    fault: 'usage',
    about,
    message: '"supported" means several versions, and check takes one',
    hint: ONE_VERSION_HINT,
  });
}

/** Returns whether the arguments of a command are the images to mirror. */
function namesImages({ command }: Invocation): boolean {
  return command === 'sync' || command === 'doctor';
}

/** Returns the settings of a command, with the password from standard input if `--password-stdin` is set. */
async function readSettings(process: ProcessLike, invocation: Invocation): Promise<Parsed<SynctlSettings>> {
  try {
    const { values, notices } = await takePassword(invocation.values, process.stdin, 'synctl sync');
    const isSum = invocation.command === 'sum' && invocation.values.get('state') !== 'registry';
    const logsIn = !isSum && !['images', 'merge'].includes(invocation.command);
    const environment = logsIn ? process.env : {};
    const from = {
      values,
      environment,
      label: (name: string) => flagLabel(name, SYNC_FLAGS),
      operands: namesImages(invocation) ? invocation.operands : [],
      hasInput: true,
    };
    const parsed = parseSyncSettings(from, invocation.command === 'doctor' ? DOCTOR_FLAGS : SYNC_FLAGS);
    const subject = invocation.command === 'check' ? readSubject(invocation, from) : undefined;
    const failures = [...(subject?.failures ?? []), ...(parsed.ok ? [] : parsed.failures)];
    if (!parsed.ok || failures.length > 0) return { ok: false, failures };
    const settings = { ...parsed.settings, installation: subject?.installation };
    return { ok: true, settings, notices: [...notices, ...parsed.notices] };
  } catch (error) {
    if (error instanceof Failure) return { ok: false, failures: [error] };
    throw error;
  }
}

function dispatch(
  commands: SynctlCommands,
  { command, operands }: Invocation,
  settings: SynctlSettings,
  context: CommandContext,
): Promise<Ending> {
  switch (command) {
    case 'sync':
      return commands.sync(settings, context);
    case 'check':
      if (settings.installation !== undefined)
        return commands.checkInstallation(settings.installation, settings, context);
      return commands.check(parseImage(operands[0] ?? '', settings.source), settings, context);
    case 'doctor':
      return commands.doctor(settings, context);
    case 'sum':
      return commands.sum({ ...settings, database: operands[0] ?? settings.database }, context);
    case 'images':
      return commands.images(operands, settings, context);
    case 'merge':
      return commands.merge(operands, settings, context);
  }
}

/** Returns the image that the command line names. Without a host, it is an image at the source. */
function parseImage(text: string, source: Host): Reference {
  const namesHost = startsWithHost(text);
  const reference = parseReference(namesHost || text === '' ? text : `${source}/${text}`);
  return reference.host === OLD_KUBERNETES_REGISTRY
    ? { ...reference, host: parseHost(KUBERNETES_REGISTRY) }
    : reference;
}
