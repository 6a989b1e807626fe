import { FlagReader } from '../config/flags/flag-reader.ts';
import type { FlagSource } from '../config/flags/flag-source.ts';
import { KUBERNETES_REGISTRY, OLD_KUBERNETES_REGISTRY } from '../config/image-set-name.ts';
import { parseArchitecture } from '../config/kubernetes/architecture.ts';
import { parseKubernetesRelease } from '../config/kubernetes/kubernetes-release.ts';
import { type KubernetesVersion, parseKubernetesVersion } from '../config/kubernetes/kubernetes-version.ts';
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
import { type Parsed, type ProcessLike, runInForeground } from './foreground.ts';
import { takePassword } from './password.ts';
import { createSynctlProgram, type Invocation } from './synctl-command-line.ts';

const STOPPING = 'stopping: transfers are given up and the state is saved; once more stops at once';
const STOPPING_OTHERS = 'stopping: requests are given up; once more stops at once';

/** Runs the command on the command line, and returns the exit code. */
export async function runSynctl(process: ProcessLike, commands: SynctlCommands): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.success;
  const program = createSynctlProgram(process.stdout, process.stderr, async (invocation) => {
    exitCode = await runCommand(process, commands, invocation);
  });
  const given = process.argv.slice(2);
  const line = given.length === 0 ? ['--help'] : given;
  return (await followLine(program, line, [...SYNC_FLAGS, ...CHECK_FLAGS])) ?? exitCode;
}

async function runCommand(
  process: ProcessLike,
  commands: SynctlCommands,
  invocation: Invocation,
): Promise<ExitCode> {
  const parsed = await readSettings(process, invocation);
  const stopping = invocation.command === 'sync' ? STOPPING : STOPPING_OTHERS;
  return runInForeground(process, { name: 'synctl', stopping }, parsed, (settings, context) =>
    dispatch(commands, invocation, settings, context),
  );
}

/** The settings of a run, and of `synctl check --kubernetes`. */
interface SynctlSettings extends SyncSettings {
  readonly installation?: InstallationChoice | undefined;
}

/** Returns the installation to check if `--kubernetes` is set, and what is wrong with it or with the operands. */
function readSubject(
  { operands }: Invocation,
  from: FlagSource,
): { readonly installation: InstallationChoice | undefined; readonly failures: readonly Failure[] } {
  const flags = new FlagReader<CheckFlagName>(CHECK_FLAGS, from);
  const version = flags.optional('kubernetes', parseInstallableVersion);
  const architecture = flags.required('arch', parseArchitecture);
  if (flags.text('kubernetes') === undefined && operands.length === 0) {
    const hint = 'such as synctl check pause, or synctl check --kubernetes 1.37.1';
    const message = 'name an image, or give --kubernetes';
    flags.failures.push(
      new Failure({ code: 'FLAG_MALFORMED', fault: 'usage', about: 'check', message, hint }),
    );
  }
  if (flags.text('kubernetes') !== undefined && operands.length > 0) {
    flags.refuse('kubernetes', `it stands beside the image "${operands[0]}"`, 'give one of the two');
  }
  const installation = version === undefined ? undefined : { version, architecture };
  return { installation, failures: flags.failures };
}

function parseInstallableVersion(text: string, about: string): KubernetesVersion {
  const version = parseKubernetesVersion(text, about);
  try {
    parseKubernetesRelease(version);
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    const { code, fault, message } = cause;
    const hint = 'use another version, or a newer keel-pkg where it is a newer one';
    throw new Failure({ code, fault, about, message, hint, cause });
  }
  return version;
}

/** Returns the settings of a command, with the password from standard input if `--password-stdin` is set. */
async function readSettings(process: ProcessLike, invocation: Invocation): Promise<Parsed<SynctlSettings>> {
  try {
    const { values, notices } = await takePassword(invocation.values, process.stdin, 'synctl sync');
    const isSum = invocation.command === 'sum' && invocation.values.get('state') !== 'registry';
    const logsIn = !isSum && invocation.command !== 'merge';
    const environment = logsIn ? process.env : {};
    const from = { values, environment, label: (name: string) => flagLabel(name, SYNC_FLAGS) };
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
    case 'merge':
      return commands.merge(operands, settings, context);
  }
}

/** Returns the image that the command line names. Without a host, it is one of the source. */
function parseImage(text: string, source: Host): Reference {
  const namesHost = startsWithHost(text);
  const reference = parseReference(namesHost || text === '' ? text : `${source}/${text}`);
  return reference.host === OLD_KUBERNETES_REGISTRY
    ? { ...reference, host: parseHost(KUBERNETES_REGISTRY) }
    : reference;
}
