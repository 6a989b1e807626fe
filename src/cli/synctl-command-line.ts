import type { Command } from 'commander';
import type { Flag } from '../config/flags/flag.ts';
import { EXIT_CODES, exitCodesWith } from '../process/exit-code.ts';
import { CHECK_FLAGS } from '../sync/check/check-flags.ts';
import { DOCTOR_FLAGS } from '../sync/doctor/doctor-flags.ts';
import { SYNC_FLAGS, type SyncFlagName } from '../sync/flags.ts';
import { createOption, isArgument, variablesHelp } from './arguments.ts';
import { finishCommand, openProgram } from './command-line.ts';
import { EXAMPLES } from './help.ts';
import type { TextStream } from './stream.ts';

/** A parsed command line: the command, its arguments, and the texts of its flags by name. */
export interface Invocation {
  readonly command: 'sync' | 'check' | 'doctor' | 'sum' | 'merge';
  readonly operands: readonly string[];
  readonly values: ReadonlyMap<string, string>;
}

const ROUTE: readonly SyncFlagName[] = [
  'source',
  'push-to',
  'push-ns',
  'username',
  'password',
  'password-stdin',
  'registry-logins',
  'insecure-registry',
  'tls-skip-verify',
  'ca-file',
  'retry',
  'retry-interval',
];

const CONNECTION: readonly SyncFlagName[] = [
  ...ROUTE,
  'image-set',
  'naming',
  'query-limit',
  'command-timeout',
  'json',
];

const TRUST: readonly SyncFlagName[] = ['moved-tags', 'verify-signatures', 'trusted-root'];

/** What a flag of `synctl sync` does in the other commands, where its own sentence speaks of a run. */
const OUTSIDE_A_RUN: Readonly<Partial<Record<SyncFlagName, string>>> = {
  'command-timeout': 'Time for the whole command',
  verify: 'With deep, all parts of all tags are looked at; otherwise those of one tag that is named',
  'moved-tags': 'What a run does when a tag such as v1.2.3 moved',
  platform: 'Platforms that a run mirrors of images that offer several',
  shard: 'Read the state that the run for the I-th of N parts left',
  'fail-on': 'Whether an image that failed in one of the shards makes this command fail',
};

function pick(
  names: readonly SyncFlagName[],
  from = SYNC_FLAGS,
  sentences = OUTSIDE_A_RUN,
): readonly Flag<SyncFlagName>[] {
  return from
    .filter(({ name }) => names.includes(name))
    .map((flag) => ({ ...flag, description: sentences[flag.name] ?? flag.description }));
}

const COMMANDS: readonly {
  readonly name: Invocation['command'];
  readonly operand?: readonly [form: string, description: string] | undefined;
  readonly summary: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /**
   * Flags without effect here, which help does not show. 1.0 accepted them, so scripts may pass them to every command.
   */
  readonly tolerated?: readonly Flag[] | undefined;
  /** How to write the command without its operand. */
  readonly alternative?: string | undefined;
  /** The meaning of exit code 1, if it is not the general one. */
  readonly failure?: string | undefined;
}[] = [
  {
    name: 'sync',
    summary: 'mirror the wanted images into a registry',
    description:
      'Mirrors the images that the image set wants from one registry into another.\n' +
      'What is there already is left alone: a second run has next to nothing to do.',
    flags: SYNC_FLAGS,
  },
  {
    name: 'check',
    operand: ['[image]', 'image, with its registry unless it is one of --source'],
    alternative: '--kubernetes VERSION',
    failure: 'The destination does not have it as it should, or could not be asked',
    summary: 'tell where an image is, or with --kubernetes all that kubeadm needs',
    description:
      'Shows side by side what the state, the source and the destination know of one image.\n' +
      'With --kubernetes: tells whether the destination has all that kubeadm needs, and prints the\n' +
      'configuration of containerd and kubeadm that uses it. It asks the destination, and the source\n' +
      'only with --verify-signatures, for signatures that are not there.',
    flags: [...CHECK_FLAGS, ...pick([...CONNECTION, 'platform', 'verify', ...TRUST, 'db', 'state', 'shard'])],
    tolerated: pick(['addition-ns', 'signatures']),
  },
  {
    name: 'sum',
    operand: ['[db]', 'state file (instead of --db)'],
    failure: 'The state file cannot be used',
    summary: 'list what the state knows',
    description:
      'Lists the images that the state file knows, or with --state registry the state beside the images.',
    flags: pick([...ROUTE, 'db', 'state', 'shard', 'json']),
  },
  {
    name: 'doctor',
    failure: 'A sync would not work',
    summary: 'tell in seconds whether a sync would work',
    description:
      'Tells in seconds whether a sync would work: names, TLS, what each source has of what is wanted,\n' +
      'login, permission to push, listing, mounts and formats. It pushes a tiny image without a tag and\n' +
      'deletes it again, and says what the destination does not let it delete.',
    flags: pick([...CONNECTION, 'addition-ns', 'db', 'state', 'shard'], DOCTOR_FLAGS, {
      ...OUTSIDE_A_RUN,
      shard: 'Look at what the run for the I-th of N parts would do',
    }),
  },
  {
    name: 'merge',
    operand: ['<report...>', 'reports that the shards of one run wrote with --report'],
    failure: 'Some images of some shard failed or are left for the next run, or its report is missing',
    summary: 'join the reports of several shards',
    description: 'Joins the reports of several shards of one run into one.',
    flags: pick(['report', 'fail-on', 'json']),
  },
];

/**
 * Returns synctl's commands as a commander program. It calls `chosen` with the parsed command line, and throws
 * `CommanderError` for help, version and wrong command lines.
 */
export function createSynctlProgram(
  stdout: TextStream,
  stderr: TextStream,
  chosen: (invocation: Invocation) => Promise<void>,
): Command {
  const nameOf = (command: Command): string => `${command.name()} ${operandForm(command)}`.trim();
  const program = openProgram('synctl', stdout, stderr, nameOf)
    .description("Mirrors container images from Kubernetes' registry and others into a private registry.")
    .usage('COMMAND [flags]');
  finishCommand(program, EXAMPLES.synctl, EXIT_CODES);
  for (const { name, operand, summary, description, flags, tolerated, alternative, failure } of COMMANDS) {
    const command = program.command(name).summary(summary).description(description);
    if (operand !== undefined) command.argument(...operand);
    const other = alternative === undefined ? '' : `\n       synctl ${name} ${alternative} [flags]`;
    command.usage(`${operandForm(command)} [flags]${other}`.trim());
    const values = new Map<string, string>();
    for (const flag of flags.filter(isArgument)) command.addOption(createOption(flag, values));
    for (const flag of (tolerated ?? []).filter(isArgument)) {
      command.addOption(createOption(flag, values).hideHelp());
    }
    command.addHelpText('after', variablesHelp(flags));
    finishCommand(command, EXAMPLES[name], failure === undefined ? EXIT_CODES : exitCodesWith(failure));
    command.action(() => chosen({ command: name, operands: command.args, values }));
  }
  return program;
}

function operandForm(command: Command): string {
  return command.registeredArguments
    .map((argument) => {
      const name = `${argument.name().toUpperCase()}${argument.variadic ? '…' : ''}`;
      return argument.required ? name : `[${name}]`;
    })
    .join(' ');
}
