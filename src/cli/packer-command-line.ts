import type { Command } from 'commander';
import type { Flag } from '../config/flags/flag.ts';
import { joinWords } from '../lib/text/sentence.ts';
import { PACK_FLAGS } from '../pack/flags.ts';
import { exitCodesWith, PACKER_EXIT_CODES } from '../process/exit-code.ts';
import { PUSH_FLAGS } from '../publish/flags.ts';
import { TARGETS } from '../publish/targets.ts';
import { createOption, isArgument, variablesHelp } from './arguments.ts';
import { finishCommand, openProgram } from './command-line.ts';
import { EXAMPLES, refuseUnknownCommand } from './help.ts';
import type { TextStream } from './stream.ts';

/** A parsed command line of packer: the command, and the texts of its flags by name. */
export interface PackerInvocation {
  readonly command: 'pack' | 'push';
  readonly values: ReadonlyMap<string, string>;
}

const DIRECTIONS = joinWords(
  TARGETS.map(({ direction }) => direction),
  'or',
);

/**
 * Returns packer's commands as a commander program. It calls `chosen` with the parsed command line, and throws
 * `CommanderError` for help, version and wrong command lines. Without a command, it packs.
 */
export function createPackerProgram(
  stdout: TextStream,
  stderr: TextStream,
  chosen: (invocation: PackerInvocation) => Promise<void>,
): Command {
  const program = openProgram('packer', stdout, stderr, (command) => command.name())
    .summary('pack')
    .description('Packs images, components and configuration for installing Kubernetes without a network.')
    .usage('[flags]\n       packer push --pkg-uri FILE [flags]')
    // Flags after "push" belong to push, even if packing has a flag of the same name.
    .enablePositionalOptions();
  finish(program, PACK_FLAGS, { examples: EXAMPLES.packer, codes: PACKER_EXIT_CODES }, async (values) => {
    const [word] = program.args;
    if (word !== undefined) refuseUnknownCommand(program, word);
    await chosen({ command: 'pack', values });
  });
  program.allowExcessArguments();
  const push = program
    .command('push')
    .summary('publish an existing package')
    .description(
      `Publishes a package: ${DIRECTIONS}. With --images-to, its images go to a registry instead.\n` +
        'Content that the target already has is not sent again; an interrupted upload continues where it stopped.',
    )
    .usage('--pkg-uri FILE [flags]');
  const codes = exitCodesWith('The package, or one of its images, could not be published everywhere');
  finish(push, PUSH_FLAGS, { examples: EXAMPLES.push, codes }, (values) =>
    chosen({ command: 'push', values }),
  );
  return program;
}

function finish(
  command: Command,
  flags: readonly Flag[],
  { examples, codes }: { readonly examples: readonly string[]; readonly codes: typeof PACKER_EXIT_CODES },
  run: (values: ReadonlyMap<string, string>) => Promise<void>,
): void {
  const values = new Map<string, string>();
  for (const flag of flags.filter(isArgument)) command.addOption(createOption(flag, values));
  command.addHelpText('after', variablesHelp(flags));
  finishCommand(command, examples, codes);
  command.action(() => run(values));
}
