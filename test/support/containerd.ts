import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const UNAVAILABLE_SNAPSHOTTERS = ['aufs', 'btrfs', 'zfs', 'devmapper'];

/**
 * Debian's containerd with CRI, a folder and a socket of its own; it wants root. Disposing ends it and removes its folder.
 */
export class Containerd implements AsyncDisposable {
  readonly socket: string;
  /** Where it keeps images. */
  readonly root: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, socket: string, process: ChildProcess) {
    this.#folder = folder;
    this.socket = socket;
    this.root = join(folder, 'root');
    this.#process = process;
  }

  /** Returns one that runs, with a disk of so many megabytes of its own if that is given. */
  static async start({ megabytes }: { readonly megabytes?: number | undefined } = {}): Promise<Containerd> {
    // Paths of sockets may have about a hundred characters.
    const folder = mkdtempSync(join(tmpdir(), 'keel-ctr-'));
    const socket = join(folder, 'c.sock');
    const config = join(folder, 'containerd.toml');
    if (megabytes !== undefined) {
      mkdirSync(join(folder, 'root'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'keel-ctr', join(folder, 'root')]);
    }
    const snapshotters = UNAVAILABLE_SNAPSHOTTERS.map((name) => `"io.containerd.snapshotter.v1.${name}"`);
    const disabled = ['"io.containerd.internal.v1.opt"', ...snapshotters];
    writeFileSync(
      config,
      [
        'version = 2',
        `root = "${join(folder, 'root')}"`,
        `state = "${join(folder, 'state')}"`,
        `disabled_plugins = [${disabled.join(', ')}]`,
        `[grpc]\n  address = "${socket}"`,
        `[ttrpc]\n  address = "${socket}.ttrpc"`,
      ].join('\n'),
    );
    const child = spawn('containerd', ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    for await (const line of createInterface({ input: child.stderr })) {
      if (line.includes('successfully booted')) break;
    }
    child.stderr.resume();
    return new Containerd(folder, socket, child);
  }

  /** Runs `ctr` in the namespace of Kubernetes and returns what it printed. */
  ctr(...words: readonly string[]): string {
    return execFileSync('ctr', ['--address', this.socket, '-n', 'k8s.io', ...words], { encoding: 'utf8' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await ended;
    }
    // Where it is a disk of its own.
    spawnSync('umount', [this.root], { stdio: 'ignore' });
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
