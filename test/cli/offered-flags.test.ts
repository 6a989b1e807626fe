import { describe, expect, test } from 'vitest';
import { PACK_INPUTS } from '../../src/actions/pack-step.ts';
import type { SynctlCommands } from '../../src/cli/commands.ts';
import { runPacker } from '../../src/cli/packer-dispatch.ts';
import { runSynctl } from '../../src/cli/synctl-dispatch.ts';
import type { Flag } from '../../src/config/flags/flag.ts';
import { secretsIn } from '../../src/config/flags/flag-secrets.ts';
import type { FlagSource } from '../../src/config/flags/flag-source.ts';
import { parsePackSettings } from '../../src/pack/settings.ts';
import type { Ending } from '../../src/process/exit-code.ts';
import { PUSH_FLAGS } from '../../src/publish/flags.ts';
import { parsePushSettings } from '../../src/publish/push-settings.ts';
import { parsePublishSettings } from '../../src/publish/settings.ts';
import { TARGETS } from '../../src/publish/targets.ts';
import { TerminalProcess } from '../support/terminal-process.ts';

interface Given {
  readonly line: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Returns all that a command line comes to: what the command is called with, what is printed, and the exit code. */
async function outcomeOf(tool: string, { line, environment = {} }: Given): Promise<string> {
  const calls: unknown[][] = [];
  const process = new TerminalProcess(line, environment, 'hush');
  const note = async (...call: unknown[]): Promise<Ending> => {
    // The context of the command is the last one.
    calls.push(call.slice(0, -1));
    return 'complete';
  };
  const commands: SynctlCommands = {
    ...{
      sync: note,
      check: note,
      checkInstallation: note,
      doctor: note,
      sum: note,
      images: note,
      merge: note,
    },
  };
  const code =
    tool === 'synctl'
      ? await runSynctl(process, commands)
      : await runPacker(process, { pack: note, push: note });
  return JSON.stringify([calls, code, process.stdout.written, process.stderr.written]);
}

interface Offered {
  readonly name: string;
  readonly takesValue: boolean;
}

/** Returns the flags and the variables that the help of a command offers. */
async function helpOf(tool: string, command: readonly string[]) {
  const process = new TerminalProcess([...command, '--help']);
  const nothing = async (): Promise<Ending> => 'complete';
  if (tool === 'packer') await runPacker(process, { pack: nothing, push: nothing });
  else {
    const all = { sync: nothing, check: nothing, checkInstallation: nothing, doctor: nothing };
    await runSynctl(process, { ...all, sum: nothing, images: nothing, merge: nothing });
  }
  const help = process.stdout.written;
  const flags = [...help.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)( [^ ]+)?/gm)].map(
    ([, name = '', value]): Offered => ({ name, takesValue: value !== undefined && value.trim() !== '' }),
  );
  const variables = [...help.matchAll(/^ {2}\$([A-Z_]+)/gm)].map(([, name = '']) => name);
  return { flags: flags.filter(({ name }) => !['help', 'version'].includes(name)), variables };
}

const OPERANDS: Readonly<Record<string, readonly string[]>> = {
  check: ['pause'],
  merge: ['a.json'],
  images: ['a.txt'],
  // A state file needs no login.
  sum: ['--state', 'registry'],
};

describe('every flag and variable that help offers makes a difference', () => {
  test.each<[string, string[]]>([
    ...['sync', 'check', 'doctor', 'sum', 'images', 'merge'].map((command): [string, string[]] => [
      'synctl',
      [command],
    ]),
    ['packer', []],
  ])('to %s %j', async (tool, command) => {
    const line = [...command, ...(OPERANDS[command[0] ?? ''] ?? [])];
    const before = await outcomeOf(tool, { line });
    const { flags, variables } = await helpOf(tool, command);
    expect(flags.length).toBeGreaterThan(0);
    const idle: string[] = [];
    for (const { name, takesValue } of flags) {
      const given = [...line, ...(takesValue ? [`--${name}`, 'other-1.2'] : [`--${name}`])];
      if ((await outcomeOf(tool, { line: given })) === before) idle.push(`--${name}`);
    }
    for (const name of variables) {
      const environment = { [name]: 'registry.example other hush' };
      if ((await outcomeOf(tool, { line, environment })) === before) idle.push(`$${name}`);
    }
    expect(idle).toEqual([]);
  });
});

/** The texts of no flags, which takes down the flags that it is asked for. */
class ReadTexts extends Map<string, string> {
  readonly #reads = new Map<string, number>();

  override get(name: string): string | undefined {
    this.#reads.set(name, this.readsOf(name) + 1);
    return super.get(name);
  }

  readsOf(name: string): number {
    return this.#reads.get(name) ?? 0;
  }
}

/** Returns the flags that `parse` does not read with any of the given texts. Looking for secrets to mask is no reading. */
function unread(
  flags: readonly Flag[],
  cases: readonly Readonly<Record<string, string>>[],
  parse: (from: FlagSource) => unknown,
): string[] {
  const isRead = ({ name }: Flag): boolean =>
    cases.some((texts) => {
      const [values, masked] = [1, 2].map(() => new ReadTexts(Object.entries(texts)));
      const from = { environment: {}, label: (flag: string) => flag };
      if (values === undefined || masked === undefined) return false;
      parse({ ...from, values });
      secretsIn(flags, { ...from, values: masked });
      return values.readsOf(name) > masked.readsOf(name);
    });
  return flags.filter((flag) => !isRead(flag)).map(({ name }) => name);
}

const PLACES = [...TARGETS.map(({ word }) => ({ repo: word })), { repo: 'none' }];

describe('every flag of a table is read', () => {
  test('of packer push', () => {
    const cases = [...PLACES, { 'images-to': 'registry.example/mirror' }];
    expect(unread(PUSH_FLAGS, cases, parsePushSettings)).toEqual([]);
  });

  test('of action-pack', () => {
    const parse = (from: FlagSource): void => {
      parsePackSettings(from);
      parsePublishSettings(from);
    };
    const inputs = PACK_INPUTS.filter(({ commandLineOnly }) => commandLineOnly !== true);
    expect(unread(inputs, PLACES, parse)).toEqual([]);
  });

  test('and one that nothing reads is found', () => {
    const idle = { name: 'idle', value: 'X', group: 'g', description: 'Does nothing' };
    const secret = { ...idle, name: 'secret', secret: true, user: 'idle' };
    const flags = [...PUSH_FLAGS, idle, secret];
    expect(unread(flags, PLACES, parsePushSettings)).toEqual(expect.arrayContaining(['idle', 'secret']));
  });
});
