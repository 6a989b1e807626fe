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
  readonly command: 'sync' | 'check' | 'doctor' | 'images' | 'sum' | 'merge';
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

const UPSTREAM: readonly SyncFlagName[] = ['upstream-mirror', 'github-token'];

const TRUST: readonly SyncFlagName[] = ['moved-tags', 'verify-signatures', 'trusted-root'];

/** What a flag of `synctl sync` does in the other commands, if its own sentence is about a run. */
const OUTSIDE_A_RUN: Readonly<Partial<Record<SyncFlagName, string>>> = {
  'push-to': 'Registry that a run mirrors images to: the destination',
  'command-timeout': 'Time limit of the command',
  verify: 'With deep, check every layer of every tag; otherwise only those of a tag that you name',
  'moved-tags': 'What a run does when a tag such as v1.2.3 moved',
  platform: 'Platforms that a run copies from multi-platform images',
  shard: 'Read the state of the run with this --shard',
  'fail-on': 'Whether a failed image in one of the shards makes this command fail',
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
   * Flags without effect here, which help does not show. Version 1.0 accepted them, so scripts may pass them to every
   * command.
   */
  readonly tolerated?: readonly Flag[] | undefined;
  /** How to write the command without its operand. */
  readonly alternative?: string | undefined;
  /** The meaning of exit code 1, if it is not the general one. */
  readonly failure?: string | undefined;
}[] = [
  {
    name: 'sync',
    operand: ['[image...]', 'images to mirror instead of those of the image set'],
    summary: 'mirror images to a registry',
    description:
      'Mirrors the images that you name, as arguments or with --images, or else those of the image set.\n' +
      'Unchanged images are not copied again, so a second run has almost nothing to do.',
    flags: SYNC_FLAGS,
  },
  {
    name: 'check',
    operand: ['[image]', 'image, with its registry unless it is at --source'],
    alternative: '--kubernetes VERSION',
    failure: 'The image is missing, incomplete or different at the destination, or it could not be checked',
    summary: 'check one image, or with --kubernetes all that kubeadm needs',
    description:
      'Shows side by side what the state, the source and the destination have of one image.\n' +
      'With --kubernetes, checks whether the destination has all images that kubeadm needs, and prints\n' +
      'the configuration of containerd and kubeadm that uses it. This reads the destination only, except for\n' +
      'words such as latest and, with --verify-signatures, missing signatures: these are read at the source.',
    flags: [
      ...CHECK_FLAGS,
      ...pick([...CONNECTION, 'platform', 'verify', ...TRUST, ...UPSTREAM, 'db', 'state', 'shard']),
    ],
    tolerated: pick(['addition-ns', 'signatures']),
  },
  {
    name: 'images',
    operand: ['<file...>', 'files that name images; - is standard input'],
    failure: 'Some images in the files cannot be used, or a file has no image',
    summary: 'list the images that files name',
    description:
      'Lists the images that files name, and the line where each one is. Files are plain lists, Kubernetes\n' +
      'manifests, and compose files. With --json, prints an image set.',
    flags: pick(['json']),
  },
  {
    name: 'sum',
    operand: ['[db]', 'state file (instead of --db)'],
    failure: 'The state file cannot be used',
    summary: 'list the images in the state',
    description:
      'Lists the images in the state file, or with --state registry in the state at the destination.',
    flags: pick([...ROUTE, 'db', 'state', 'shard', 'json']),
  },
  {
    name: 'doctor',
    operand: ['[image...]', 'images to check instead of those of the image set'],
    failure: 'A sync would not work',
    summary: 'check in seconds whether a sync would work',
    description:
      'Checks in seconds whether a sync would work: host names, TLS, the selected images at each source,\n' +
      'login, permission to push, listing, mounts and formats. It pushes a tiny image without a tag,\n' +
      'deletes it, and reports what the destination does not let it delete.',
    flags: pick([...CONNECTION, 'images', 'addition-ns', ...UPSTREAM, 'db', 'state', 'shard'], DOCTOR_FLAGS, {
      ...OUTSIDE_A_RUN,
      'push-to': 'Registry that a run mirrors images to: the destination; required if you give images',
      shard: 'Check what a run with this --shard would do',
    }),
  },
  {
    name: 'merge',
    operand: ['<report...>', 'reports that the shards of a run wrote with --report'],
    failure: 'An image of a shard failed or is left for the next run, or the report of a shard is missing',
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
    .description('Mirrors container images from registry.k8s.io and other registries to a private registry.')
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
