import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { describeWith, missingPrograms } from '../programs.ts';

const HOLD = fileURLToPath(new URL('./hold.sh', import.meta.url));
const PROBE = fileURLToPath(new URL('./probe.sh', import.meta.url));
const POLL_MILLISECONDS = 10;
const PATIENCE_MILLISECONDS = 60_000;
const NAMESPACES = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What Debian's package of containerd brings to a machine that asks for it, below /usr. */
const OWN_CONTAINERD = [
  'bin/containerd',
  'bin/containerd-shim',
  'bin/containerd-shim-runc-v1',
  'bin/containerd-shim-runc-v2',
  'bin/ctr',
  'lib/systemd/system/containerd.service',
  'sbin/runc',
];
const MEMINFO = 'MemTotal:        4028160 kB\nMemFree:         3028160 kB\nMemAvailable:    3528160 kB\n';
const SWAPS = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';

/** What a machine is like. Each of these holds from its next start on. */
export interface MachineTraits {
  /** Address of eth0 with its length, such as `10.99.0.11/24`; without one there is only the loopback. */
  readonly address?: string | undefined;
  /** Where the default route leads, on the LAN of the address; without one there is none. */
  readonly gateway?: string | undefined;
  /** Whether swap is on. */
  readonly swap?: boolean | undefined;
  /** Modules that its kernel does not have. None is loaded at the start. */
  readonly withoutModules?: readonly string[] | undefined;
  /** What /proc/meminfo says, such as `MemTotal: 1000000 kB`; four gigabytes where this is left out. */
  readonly meminfo?: string | undefined;
  /** How many processors /proc/cpuinfo names; two where this is left out. */
  readonly processors?: number | undefined;
}

interface MachineMake extends MachineTraits {
  /** Its host name; `machine` where this is left out. */
  readonly name?: string | undefined;
  /** A folder that machines share as /srv/lan, in place of a network between them. */
  readonly lan?: string | undefined;
  /** Whether Debian's own containerd and runc are there; a fresh machine has none. */
  readonly hasContainerd?: boolean | undefined;
  /** Programs of this host that the machine does not have, as paths below /usr, such as `bin/cmp`. */
  readonly without?: readonly string[] | undefined;
}

/** What became of a command. Its status is null where it was killed, as by a power cut. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
  /** Where the command runs; /root where this is left out. */
  readonly folder?: string | undefined;
  /** After which it is ended, which is thrown. */
  readonly milliseconds?: number | undefined;
}

/**
 * A machine with a real systemd as process 1, in namespaces of its own. Programs are this host's Debian ones, in a layer that
 * it may change; /etc, /var, /opt, /root and /usr/local are its own, and begin nearly empty. They stay over stop, crash and
 * start as on a disk; what is below /run and /tmp does not. /proc/sys/net is its own and new at each start; the rest of
 * /proc/sys cannot be written. Modules, swap and memory are said to be what its traits tell. Its LAN leads nowhere.
 *
 * Disposing takes away all of it; so does the end of this process, however it ends.
 */
export class Machine implements AsyncDisposable {
  /** The machine's disk as this process sees it, for reading and writing while it runs or is off. */
  readonly folder: string;
  readonly #disk: string;
  readonly #holder: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;
  #pid: number | undefined;

  private constructor(disk: string, holder: ChildProcessByStdio<Writable, Readable, null>) {
    this.#holder = holder;
    this.#lines = createInterface({ input: holder.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
    this.#disk = `/proc/${holder.pid}/root${disk}`;
    this.folder = join(this.#disk, 'root');
  }

  /** Returns a machine that has booted. */
  static async start(make: MachineMake = {}): Promise<Machine> {
    const { name = 'machine', lan = '', hasContainerd = false, without = [], ...traits } = make;
    const disk = mkdtempSync(join(tmpdir(), 'keel-machine-'));
    const hidden = [...(hasContainerd ? [] : OWN_CONTAINERD), ...without];
    const line = ['--mount', '--net', '--propagation', 'private', HOLD, disk, name, hidden.join(' '), lan];
    const holder = spawn('unshare', line, { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
    const machine = new Machine(disk, holder);
    try {
      await machine.#expect('held');
      await machine.start(traits);
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  get isRunning(): boolean {
    if (this.#pid === undefined) return false;
    try {
      process.kill(this.#pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  /** Turns it on, changed as the traits say, and waits until it has booted. */
  async start(traits?: MachineTraits): Promise<void> {
    if (traits !== undefined) this.#change(traits);
    await this.#order('start');
    await this.#until('begins to boot', () => {
      const file = join(this.#disk, 'pid');
      this.#pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
      if (this.#pid === undefined) return false;
      if (!this.isRunning) throw new Error(`the machine ended while it booted: ${this.console()}`);
      return existsSync(`/proc/${this.#pid}/root/run/systemd/private`);
    });
    // It tells `degraded` where a unit failed, which is the test's affair.
    const { stdout } = await this.exec('systemctl is-system-running --wait');
    if (!/^(?:running|degraded)$/m.test(stdout))
      throw new Error(`it did not boot: ${stdout}${this.console()}`);
  }

  /** Shuts it down as `poweroff` does. */
  async stop(): Promise<void> {
    await this.exec('systemctl poweroff');
    await this.#until('is off', () => !this.isRunning);
  }

  /** Shuts it down and starts it again. */
  async reboot(traits?: MachineTraits): Promise<void> {
    await this.stop();
    await this.start(traits);
  }

  /** Cuts its power: every process is killed at once. What was written stays, as the disk has no cache of its own. */
  async crash(): Promise<void> {
    await this.#order('kill');
    this.#pid = undefined;
  }

  /** Runs a line of shell as root, with nothing of this process's environment. */
  async exec(command: string, options: CommandOptions = {}): Promise<Outcome> {
    const { environment = {}, input = '', folder = '/root', milliseconds = PATIENCE_MILLISECONDS } = options;
    if (this.#pid === undefined) throw new Error('the machine is off');
    const variables = Object.entries({ PATH, HOME: '/root', LANG: 'C.UTF-8', ...environment });
    const inside = ['env', '-i', ...variables.map(([name, value]) => `${name}=${value}`)];
    const enter = [
      'nsenter',
      `--target=${this.#pid}`,
      ...NAMESPACES,
      '--root',
      `--wd=/proc/${this.#pid}/root${folder}`,
      '--',
    ];
    const child = spawn(
      'sh',
      ['-c', 'echo $$ >"$0" && exec "$@"', this.#execGroup(), ...enter, ...inside, 'sh', '-c', command],
      { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
    );
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      // nsenter alone would leave what it started.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, milliseconds);
    // It may end without reading.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const ended = once(child, 'exit');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    await ended;
    clearTimeout(timer);
    if (isLate) throw new Error(`${command} did not end: ${stdout}${stderr}`);
    return { status: child.exitCode, stdout, stderr };
  }

  /** Returns what a command prints; one that fails is thrown. */
  async read(command: string, options: CommandOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.exec(command, options);
    if (status !== 0) throw new Error(`${command}: ${status}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Returns what the machine's process 1 said on its console since the last start. */
  console(): string {
    return readFileSync(join(this.#disk, 'console'), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hasEnded = this.#holder.exitCode !== null || this.#holder.signalCode !== null;
    const ended = hasEnded ? undefined : once(this.#holder, 'exit');
    this.#holder.stdin.end();
    await ended;
    this.#lines.close();
    this.#pid = undefined;
  }

  #execGroup(): string {
    const name = basename(this.#disk);
    return join(this.#disk, 'cgroups', name, 'exec', 'cgroup.procs');
  }

  #change(traits: MachineTraits): void {
    const { address, gateway, swap = false, withoutModules = [], meminfo = MEMINFO, processors = 2 } = traits;
    const files = {
      address,
      gateway,
      swaps: swap ? `${SWAPS}/swapfile file 2097148 0 -2\n` : SWAPS,
      'no-modules': withoutModules.map((name) => `${name}\n`).join(''),
      meminfo,
      cpuinfo: Array.from({ length: processors }, (_, number) => `processor\t: ${number}\n\n`).join(''),
    };
    for (const [name, content] of Object.entries(files)) {
      const file = join(this.#disk, 'boot', name);
      if (content === undefined) rmSync(file, { force: true });
      else writeFileSync(file, content);
    }
  }

  async #order(word: string): Promise<void> {
    this.#holder.stdin.write(`${word}\n`);
    await this.#expect(word);
  }

  async #expect(word: string): Promise<void> {
    const { value } = await this.#answers.next();
    if (value !== word) throw new Error(`the holder of a machine said ${value} in place of ${word}`);
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const giveUpAt = Date.now() + PATIENCE_MILLISECONDS;
    while (!isSo()) {
      if (Date.now() > giveUpAt)
        throw new Error(`waited in vain until the machine ${what}: ${this.console()}`);
      await wait(POLL_MILLISECONDS);
    }
  }
}

/** Returns why this host lends no machine, or nothing where it does. */
function refusal(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const line = ['--mount', '--uts', '--ipc', '--net', '--pid', '--fork', '--propagation', 'private', PROBE];
  const { status, stderr, error } = spawnSync('unshare', line, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return `not possible on this host: ${error?.message ?? stderr.trim().split('\n').at(-1)}`;
}

/**
 * Describes tests that need machines. They are skipped where programs are missing, which under CI is a failure, and where
 * this host does not allow namespaces, mounts or cgroups, as in most containers, which is none. The name says why.
 */
export function describeWithMachine(name: string, tests: () => void): void {
  const missing = missingPrograms(['systemctl', 'ip', 'sysctl']);
  const why = missing.length === 0 ? refusal() : undefined;
  if (why !== undefined) return void describe.skip(`${name} (${why})`, tests);
  describeWith(['systemctl', 'ip', 'sysctl'], name, tests);
}
