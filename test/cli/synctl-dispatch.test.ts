import { describe, expect, test } from 'vitest';
import type { CommandContext, SynctlCommands } from '../../src/cli/commands.ts';
import { runSynctl } from '../../src/cli/synctl-dispatch.ts';
import { ConfigurationFailure } from '../../src/config/problem.ts';
import { Failure } from '../../src/lib/failure.ts';
import type { Ending } from '../../src/process/exit-code.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import type { SyncSettings } from '../../src/sync/settings.ts';
import { TerminalProcess } from '../support/terminal-process.ts';

interface World {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly work?: (context: CommandContext, process: TerminalProcess) => Promise<Ending>;
}

/** Runs a command line with commands that only take down what they were asked for. */
async function run(line: readonly string[], { environment = {}, input = '', work }: World = {}) {
  const calls: unknown[][] = [];
  const process = new TerminalProcess(line, environment, input);
  const settingsSeen: SyncSettings[] = [];
  const note = async (context: CommandContext, ...call: unknown[]): Promise<Ending> => {
    calls.push(call);
    return work === undefined ? 'complete' : work(context, process);
  };
  const commands: SynctlCommands = {
    sync: (settings, context) => {
      settingsSeen.push(settings);
      return note(context, 'sync');
    },
    checkInstallation: ({ word, architecture }, _settings, context) =>
      note(context, 'check', word.kind, word.text, architecture),
    check: (image, _settings, context) => note(context, 'check', formatReference(image)),
    doctor: (settings, context) => {
      settingsSeen.push(settings);
      return note(context, 'doctor');
    },
    images: (files, { json }, context) => note(context, 'images', files, json),
    sum: ({ state, database, json }, context) => note(context, 'sum', state, database, json),
    merge: (reports, { report, failOn }, context) => note(context, 'merge', reports, report, failOn),
  };
  const code = await runSynctl(process, commands);
  const [out, err] = [process.stdout.written, process.stderr.written];
  return { code, calls, settings: settingsSeen[0], out, err, process };
}

test.each<[string, unknown[]]>([
  ['sync', ['sync']],
  ['doctor', ['doctor']],
  ['check pause:3.10', ['check', 'registry.k8s.io/pause:3.10']],
  [
    'check coredns/coredns:v1.12.1 --source mirror.example',
    ['check', 'mirror.example/coredns/coredns:v1.12.1'],
  ],
  ['check k8s.gcr.io/pause:3.10', ['check', 'registry.k8s.io/pause:3.10']],
  ['check docker.io/nginx', ['check', 'docker.io/library/nginx']],
  ['check --kubernetes v1.37.1', ['check', 'version', '1.37.1', 'amd64']],
  ['check --kubernetes 1.99', ['check', 'minor', '1.99', 'amd64']],
  ['check --kubernetes latest-1', ['check', 'latest', 'latest-1', 'amd64']],
  ['check --kubernetes=1.36.2 --arch aarch64', ['check', 'version', '1.36.2', 'arm64']],
  ['images a.txt b.yaml', ['images', ['a.txt', 'b.yaml'], false]],
  ['images - --json', ['images', ['-'], true]],
  ['sum', ['sum', 'file', 'sync.bolt.db', false]],
  ['sum /tmp/state --json', ['sum', 'file', '/tmp/state', true]],
  ['sum --db other', ['sum', 'file', 'other', false]],
  ['sum --state registry --push-ns mirror', ['sum', 'registry', 'sync.bolt.db', false]],
  ['merge a.json b.json --report all.json', ['merge', ['a.json', 'b.json'], 'all.json', 'any']],
])('synctl %s', async (line, call) => {
  const { code, calls, err } = await run(line.split(' '));
  expect({ code, calls, err }).toEqual({ code: 0, calls: [call], err: '' });
});

test.each<[string, Partial<SyncSettings>]>([
  ['--limit=3 --query-limit 7', { limit: 3, queryLimit: 7 }],
  ['-u=robot --password=x', { username: 'robot', password: 'x' }],
  ['-u robot -p x', { username: 'robot', password: 'x' }],
  ['--dry-run --limit 2', { dryRun: true, limit: 2 }],
  ['--dry-run=false', { dryRun: false }],
  ['--addition-ns a,b --addition-ns c', { additionNamespaces: ['a', 'b', 'c'] }],
  ['--limit 1 --limit 2', { limit: 2 }],
])('the flags %s are understood', async (line, expected) => {
  expect((await run(['sync', ...line.split(' ')])).settings).toMatchObject(expected);
});

test.each<[string, number, number]>([
  ['sync', 5, 5000],
  ['doctor', 2, 500],
  ['doctor --retry 7 --retry-interval 7s', 7, 7000],
])('synctl %s tries %i times, first %i ms apart', async (line, attempts, interval) => {
  expect((await run(line.split(' '))).settings).toMatchObject({
    retry: { attempts, interval },
  });
});

test('what doctor tries by default stands in its help', async () => {
  const help = (await run(['doctor', '--help'])).out.replaceAll(/\s+/g, ' ');
  expect(help).toContain('--retry N Attempts for each request; 0 or 1 means no retries (default: 2)');
  expect(help).toContain(
    '--retry-interval DURATION Pause before the second attempt; later pauses are longer (default: 500ms)',
  );
});

test('check takes flags of sync that mean nothing to it, and does not offer them', async () => {
  expect(await run(['check', 'pause:3.10', '--addition-ns', '*', '--signatures=copy'])).toMatchObject({
    code: 0,
    err: '',
  });
  expect((await run(['check', 'pause', '--signatures', 'some'])).code).toBe(2);
  expect((await run(['check', '--help'])).out).not.toMatch(/--addition-ns|--signatures /);
});

test.each<[string, string]>([
  ['snyc', 'error: unknown command \'snyc\'\n(Did you mean sync?)\nSee "synctl --help".\n'],
  ['help snyc', 'error: unknown command \'snyc\'\n(Did you mean sync?)\nSee "synctl --help".\n'],
  ['sync --lmit 3', 'error: unknown option \'--lmit\'\n(Did you mean --limit?)\nSee "synctl sync --help".\n'],
  ['sync —dry-run', 'error: —dry-run starts with another kind of dash: write --dry-run\n'],
  ['check –u', 'error: –u starts with another kind of dash: write -u\n'],
  ['sync --push-to https://harbor.example/harbor/projects/1', '(write harbor.example)'],
  [
    'sync --dry-run false',
    'error: false: this is not an image (write the value of a switch with "=", such as --dry-run=false)\n',
  ],
  [
    'sync list.txt ./more -',
    'error: list.txt: this is the path of a file, and not an image (write --images list.txt)\n' +
      'error: ./more: this is the path of a file, and not an image (write --images ./more)\n' +
      'error: -: this is standard input, and not an image (write --images -)\n',
  ],
  ['sync --images', "error: option '--images <FILE>' argument missing\n"],
  ['sync -nginx', "error: unknown option '-nginx'\n"],
  [
    'doctor NGINX:1.27',
    'error: NGINX:1.27: "NGINX" cannot be part of a repository name (repositories are lower case',
  ],
  [
    'check',
    'error: check: name an image, or give --kubernetes (write synctl check pause, or synctl check --kubernetes 1.37.1)\n',
  ],
  [
    'check pause:3.10 --kubernetes 1.37.1',
    'error: --kubernetes: it cannot be combined with the image "pause:3.10" (give only one of them)\n',
  ],
  [
    'check --kubernetes newest --arch arm',
    'error: --kubernetes: expected a version of Kubernetes, found "newest" (write a version such as 1.37.1, a minor such as 1.37 for its newest release, or latest or latest-1)\n' +
      'error: --arch: "arm" is not an architecture of Kubernetes',
  ],
  [
    'check --kubernetes supported',
    'error: --kubernetes: "supported" means several versions, and check takes one (write a version such as 1.37.1, a minor such as 1.37 for its newest release, or latest or latest-1)',
  ],
  [
    'sync --limit none --verify most',
    'error: --verify: "most" is not an allowed value (write sample, all, deep or none)\n' +
      'error: --limit: "none" is not a whole number (write a whole number from 1 to 1000)\n',
  ],
])('synctl %s is refused', async (line, message) => {
  const { code, calls, err } = await run(line.split(' '));
  expect({ code, calls }).toEqual({ code: 2, calls: [] });
  for (const part of message.trimEnd().split('\n')) expect(err).toContain(part);
});

describe('help', () => {
  test.each(['', '--help', '-h', 'help'])('synctl %s lists the commands', async (line) => {
    const { code, out } = await run(line.split(' ').filter((word) => word !== ''));
    expect(code).toBe(0);
    for (const word of ['sync ', 'check [IMAGE]', 'sum [DB]', 'doctor', 'merge REPORT…', 'Exit codes:']) {
      expect(out).toContain(word);
    }
  });

  test('each flag of sync has its default and its variable', async () => {
    const { out } = await run(['sync', '--help']);
    expect(out).toContain('-u, --username NAME');
    expect(out).toContain('$KEEL_USERNAME');
    expect(out.replaceAll(/\s+/g, ' ')).toContain('(default: 15m0s)');
    expect(out).toContain('--dry-run ');
    expect(out).not.toContain('[yes]');
  });

  test.each(['-v', '--version', 'sync --version', 'sum -v'])('synctl %s prints the version', async (line) => {
    expect(await run(line.split(' '))).toMatchObject({ code: 0, out: 'v1.0.0\n' });
  });
});

test('the help of a command tells its own exit codes, and every way to write it', async () => {
  const { out } = await run(['check', '--help']);
  expect(out).toContain(
    'Usage: synctl check [IMAGE] [flags]\n       synctl check --kubernetes VERSION [flags]\n',
  );
  expect((await run(['doctor', '--help'])).out).toContain('  1         A sync would not work\n');
});

test.each(['check', 'sum', 'doctor', 'merge'])('the help of %s speaks of its own work', async (command) => {
  const out = (await run([command, '--help'])).out.replaceAll(/\s+/g, ' ');
  expect(out).not.toMatch(
    /next run copies|whole run|the run fail|share the work|Platforms to copy|state is saved/,
  );
});

test('the help of a command tells the variable that is no argument, where it has an effect', async () => {
  for (const name of ['sync', 'check', 'doctor', 'sum']) {
    expect((await run([name, '--help'])).out).toContain(
      'Environment:\n  $KEEL_REGISTRY_LOGINS\n    Logins for',
    );
  }
  expect((await run(['merge', '--help'])).out).not.toContain('Environment:');
});

describe('the password', () => {
  test('comes from standard input without its line end', async () => {
    const world = { input: 'open sesame\n' };
    const { settings } = await run(['doctor', '-u', 'robot', '--password-stdin'], world);
    expect(settings?.password).toBe('open sesame');
  });

  test('comes from the environment', async () => {
    const environment = { KEEL_USERNAME: 'robot', KEEL_PASSWORD: 'hush' };
    const { settings, err } = await run(['sync'], { environment });
    expect([settings?.username, settings?.password, err]).toEqual(['robot', 'hush', '']);
  });

  test('as a flag is taken, with a word on who sees it', async () => {
    const { settings, err } = await run(['sync', '-u', 'robot', '-p', 'hush']);
    expect(settings?.password).toBe('hush');
    expect(err).toMatch(/^warning: --password: every user of this machine can read it/);
    expect(err).not.toContain('hush');
  });

  test.each([
    [['--password-stdin', '-p', 'x'], '--password is given too'],
    [['--password-stdin'], 'standard input is empty'],
  ])('%j is refused', async (flags, message) => {
    const { code, err } = await run(['sync', '-u', 'robot', ...flags]);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  test('is not wanted where nobody logs in', async () => {
    expect((await run(['sum'], { environment: { KEEL_USERNAME: 'robot' } })).code).toBe(0);
  });
});

describe('the exit code', () => {
  const failing = (error: Error) => ({ work: () => Promise.reject(error) });

  test('is what the command gives', async () => {
    expect((await run(['sync'], { work: async () => 'incomplete' })).code).toBe(1);
  });

  test('is 1 for what the world did', async () => {
    const failure = new Failure({ code: 'UNREACHABLE', about: 'r.example', message: 'it does not answer' });
    expect(await run(['sync'], failing(failure))).toMatchObject({
      code: 1,
      err: 'error: r.example: it does not answer\n',
    });
  });

  test('is 2 for a file that the user has to correct, with each problem on its line', async () => {
    const place = { file: 'image_set.json', line: 3, column: 7 };
    const failure = new ConfigurationFailure('image_set.json', [
      { place, message: 'expected a name' },
      { place: { ...place, line: 9 }, message: 'expected a comma' },
    ]);
    expect(await run(['sync'], failing(failure))).toMatchObject({
      code: 2,
      err: 'error: image_set.json:3:7: expected a name\nerror: image_set.json:9:7: expected a comma\n',
    });
  });

  test('is 2 for whatever else is the fault of the user', async () => {
    const about = 'nope';
    const failure = new Failure({ code: 'GONE', about, message: 'there is no such file', fault: 'usage' });
    expect((await run(['sync'], failing(failure))).code).toBe(2);
  });

  test('is 1 for a fault of the program, which is said', async () => {
    expect(await run(['sync'], failing(new TypeError('x is not a function')))).toMatchObject({
      code: 1,
      err: 'error: x is not a function (this is a bug in synctl; KEEL_DEBUG=1 shows where)\n',
    });
  });

  test.each<[string, string, number, string]>([
    ['SIGINT', 'sync', 130, 'transfers are cancelled and the state is saved'],
    ['SIGTERM', 'sync', 143, 'transfers are cancelled and the state is saved'],
    ['SIGINT', 'doctor', 130, 'requests are cancelled;'],
  ])('is the one of %s, after %s wound up', async (name, command, expected, told) => {
    const { code, err } = await run([command], {
      work: async ({ signal, reporter }, process) => {
        process.emit(name);
        expect(signal.aborted).toBe(true);
        reporter.line('state saved');
        return 'incomplete';
      },
    });
    expect(code).toBe(expected);
    expect(err).toMatch(/^warning: stopping: /);
    expect(err).toContain(told);
  });

  test('a second signal ends at once, and afterwards signals are left to Node', async () => {
    const { code, process } = await run(['sync'], {
      work: async ({ signal }, process) => {
        process.emit('SIGINT');
        expect(() => process.emit('SIGTERM')).toThrow('exit 143');
        return Promise.reject(signal.reason);
      },
    });
    expect([code, process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual([130, 0, 0]);
  });
});

test('with --json only what the command prints is on standard output', async () => {
  const { out, err } = await run(['sum', '--json'], {
    work: async ({ reporter, print }) => {
      reporter.line('12 images');
      print('{"images":12}');
      return 'complete';
    },
  });
  expect([out, err]).toEqual(['{"images":12}\n', '12 images\n']);
});

describe('with --json, a command that cannot start prints a document with codes', () => {
  const WRONG = { code: 'FLAG_MALFORMED', about: '--limit' };

  test.each<[string, object]>([
    ['sync --lmit 3 --json', { code: 'FLAG_MALFORMED', about: 'synctl' }],
    ['sum --json --limit none', { code: 'FLAG_MALFORMED', about: 'synctl' }],
    ['check --json', { code: 'FLAG_MALFORMED', about: 'check' }],
    ['sum --json=maybe', { code: 'FLAG_MALFORMED', about: '--json' }],
    ['sync --limit none --json', WRONG],
    ['doctor --query-limit none --json=true', { ...WRONG, about: '--query-limit' }],
  ])('synctl %s', async (line, failure) => {
    const { code, out, err } = await run(line.split(' '));
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ failures: [{ ...failure, message: expect.any(String) }] });
    expect(err).toMatch(/^error: /);
  });

  test.each([
    'sync --lmit 3',
    'sync --limit none',
    'sync --limit none --json=false',
    'sync --lmit -- --json',
  ])('and without it nothing: synctl %s', async (line) => {
    expect(await run(line.split(' '))).toMatchObject({ code: 2, out: '' });
  });

  test.each(['sync', 'doctor', 'sum', 'merge a.json', 'check pause'])('synctl %s', async (command) => {
    const failure = new Failure({ code: 'UNREACHABLE', about: 'r.example', message: 'gone', hint: 'wait' });
    const line = [...command.split(' '), '--json'];
    const { out } = await run(line, { work: () => Promise.reject(failure) });
    expect(JSON.parse(out)).toEqual({
      failures: [{ code: 'UNREACHABLE', about: 'r.example', message: 'gone', hint: 'wait' }],
    });
  });

  test('and one that printed its result prints no second one', async () => {
    const { out } = await run(['sync', '--json'], {
      work: ({ print }) => {
        print('{"images":[]}');
        return Promise.reject(new Error('late'));
      },
    });
    expect(out).toBe('{"images":[]}\n');
  });

  test('as does one that is stopped', async () => {
    const { code, out, err } = await run(['sync', '--json'], {
      work: async ({ signal }, process) => {
        process.emit('SIGINT');
        return Promise.reject(signal.reason);
      },
    });
    expect(JSON.parse(out)).toEqual({ failures: [{ code: 'INTERRUPTED', message: 'cancelled by SIGINT' }] });
    expect(err).toMatch(/\nstopped early, cancelled by SIGINT: nothing was mirrored\n$/);
    expect(code).toBe(130);
  });
});
