import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkCommand, checkInstallationCommand } from '../../src/cli/check-command.ts';
import type { SynctlCommands } from '../../src/cli/commands.ts';
import { doctorCommand } from '../../src/cli/doctor-command.ts';
import { imagesCommand } from '../../src/cli/images-command.ts';
import { mergeCommand } from '../../src/cli/merge-command.ts';
import { sumCommand } from '../../src/cli/sum-command.ts';
import { syncCommand } from '../../src/cli/sync-command.ts';
import { createSynctlProgram, type Invocation } from '../../src/cli/synctl-command-line.ts';
import { runSynctl } from '../../src/cli/synctl-dispatch.ts';
import { SYNC_FLAGS, type SyncFlagName } from '../../src/sync/flags.ts';
import { parseSyncSettings } from '../../src/sync/settings.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { Screen } from '../support/screen.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { TerminalProcess } from '../support/terminal-process.ts';
import { LOGIN, loginVariables } from '../support/token-server.ts';

/** A text for each flag that no default has. */
const SAMPLES: Readonly<Record<SyncFlagName, string>> = {
  source: 'source.example',
  'push-to': 'target.example',
  'push-ns': 'sample',
  username: 'sample',
  password: 'sample',
  'password-stdin': 'true',
  'registry-logins': 'a.example robot hush',
  'insecure-registry': 'plain.example',
  'tls-skip-verify': 'self.example',
  'ca-file': 'sample.pem',
  'image-set': 'sample.json',
  images: 'sample.txt',
  'addition-ns': 'sample',
  platform: 'linux/s390x',
  signatures: 'copy',
  shard: '2/4',
  'upstream-mirror': 'https://mirror.example',
  'github-token': 'hush',
  'dry-run': 'true',
  naming: 'path',
  verify: 'all',
  'moved-tags': 'keep',
  'verify-signatures': 'warn',
  'trusted-root': 'sample-root.json',
  'query-limit': '7',
  limit: '7',
  'command-timeout': '7s',
  'push-timeout': '7s',
  retry: '7',
  'retry-interval': '7s',
  db: 'sample.db',
  state: 'registry',
  report: 'sample-report.json',
  'fail-on': 'never',
  json: 'true',
};

/** These never come to the settings: the command line itself is read by them, as test/cli/synctl-dispatch.test.ts shows. */
const OF_THE_LINE: ReadonlySet<string> = new Set(['password-stdin', 'kubernetes', 'arch']);

/** Returns the settings that a flag changes. */
function settingsOf(flag: SyncFlagName): string[] {
  const read = (values: ReadonlyMap<string, string>): Map<string, unknown> => {
    const login = [...values.keys()].filter((name) => name === 'username' || name === 'password');
    const other = login.map((name): [string, string] => [name === 'username' ? 'password' : 'username', 'x']);
    const whole = new Map([...other, ...values]);
    const parsed = parseSyncSettings({ values: whole, environment: {}, label: (name) => name });
    if (!parsed.ok) throw new Error(`no sample of ${flag}: ${parsed.failures.join()}`);
    return new Map(Object.entries(parsed.settings));
  };
  const needed = new Map(flag === 'images' ? [['push-to', SAMPLES['push-to']]] : []);
  const bare = read(needed);
  const given = read(new Map([...needed, [flag, SAMPLES[flag]]]));
  const changed = [...given].filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(bare.get(name)),
  );
  const others = flag === 'username' ? ['password'] : flag === 'password' ? ['username'] : [];
  return changed.map(([name]) => name).filter((name) => !others.includes(name));
}

/** Takes down what is read of settings. To copy them whole would hide what is read of the copy, and throws. */
function recorded<Settings extends object>(settings: Settings, read: Set<string>): Settings {
  return new Proxy(settings, {
    get(target, name, receiver) {
      read.add(String(name));
      return Reflect.get(target, name, receiver);
    },
    ownKeys() {
      throw new Error('the settings are copied whole');
    },
  });
}

/** Runs command lines, and returns what their work read of the settings. */
async function readBy(lines: readonly (readonly string[])[]): Promise<ReadonlySet<string>> {
  const read = new Set<string>();
  const commands: SynctlCommands = {
    sync: (settings, context) => syncCommand(recorded(settings, read), context),
    check: (image, settings, context) => checkCommand(image, recorded(settings, read), context),
    checkInstallation: (choice, settings, context) =>
      checkInstallationCommand(choice, recorded(settings, read), context),
    doctor: (settings, context) => doctorCommand(recorded(settings, read), context),
    images: (files, settings, context) => imagesCommand(files, recorded(settings, read), context),
    sum: (settings, context) => sumCommand(recorded(settings, read), context),
    merge: (reports, settings, context) => mergeCommand(reports, recorded(settings, read), context),
  };
  for (const line of lines) {
    const process = new TerminalProcess(line, loginVariables(LOGIN));
    const code = await runSynctl(process, commands);
    // Of what kubeadm needs, the destination has one image.
    const expected = line.includes('--kubernetes') ? 1 : 0;
    expect([code, process.stderr.written], line.join(' ')).toEqual([expected, '']);
  }
  return read;
}

function flagsOf(command: Invocation['command']): string[] {
  const screen = new Screen({});
  const program = createSynctlProgram(screen, screen, async () => undefined);
  const found = program.commands.find((each) => each.name() === command);
  const options = found?.createHelp().visibleOptions(found) ?? [];
  return options.map((option) => option.name()).filter((name) => name !== 'help' && name !== 'version');
}

async function world() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
  const report = join(scratchFolder(), 'report.json');
  const list = join(scratchFolder(), 'images.txt');
  writeFileSync(list, 'registry.example/app:1.0');
  const { imageSet, database } = route.settings();
  const flags = ['--source', source.host, '--push-to', destination.host];
  const state = ['--state', 'registry', '--db', database];
  const lines: Readonly<Record<Invocation['command'], readonly (readonly string[])[]>> = {
    sync: [['sync', ...flags, ...state, '--image-set', imageSet, '--report', report]],
    check: [
      ['check', 'pause:3.10', ...flags, ...state, '--image-set', imageSet],
      ['check', 'pause', ...flags, ...state, '--image-set', imageSet],
      ['check', '--kubernetes', '1.37.1', ...flags, ...state, '--image-set', imageSet],
    ],
    doctor: [['doctor', ...flags, ...state, '--image-set', imageSet]],
    images: [['images', list]],
    sum: [['sum', ...flags, ...state]],
    merge: [['merge', report]],
  };
  return { lines, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test.each(['sync', 'check', 'doctor', 'images', 'sum', 'merge'] as const)(
  'every flag that %s offers is read by its work',
  async (command) => {
    await using all = await world();
    if (command !== 'sync') await readBy(all.lines.sync);
    const read = await readBy(all.lines[command]);
    const offered = flagsOf(command);
    expect(offered.length).toBeGreaterThan(command === 'images' ? 0 : 2);
    const known = SYNC_FLAGS.filter(({ name }) => offered.includes(name) && !OF_THE_LINE.has(name));
    const unread = known.filter(({ name }) => !settingsOf(name).some((setting) => read.has(setting)));
    expect(unread.map(({ name }) => name)).toEqual([]);
    const strange = offered.filter(
      (name) => !OF_THE_LINE.has(name) && !known.some((flag) => flag.name === name),
    );
    expect(strange).toEqual([]);
  },
);
