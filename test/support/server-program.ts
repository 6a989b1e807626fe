import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const PORTS_TO_TRY = 5;
const POLL_MILLISECONDS = 10;
const PATIENCE_MILLISECONDS = 60_000;

/** How a server of others is started, and how it is recognised. */
export interface ServerRecipe {
  readonly name: string;
  /** Writes what the program reads into its folder, and returns its command line. */
  readonly command: (folder: string, port: number) => Promise<readonly [string, ...string[]]>;
  /** A port that was free may be another's a moment later: returns whether this one answers there. */
  readonly answers: (folder: string, port: number) => Promise<boolean>;
}

/** A server of others on a free loopback port, in a folder of its own. Disposing ends it and removes the folder. */
export class ServerProgram implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly #process: ChildProcess;
  // A test that ran out of time never disposes of what it used; its process ends all the same.
  readonly #endWithParent = (): void => {
    this.#process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  };

  private constructor(port: number, folder: string, process: ChildProcess) {
    this.port = port;
    this.folder = folder;
    this.#process = process;
    globalThis.process.once('exit', this.#endWithParent);
  }

  static async start(recipe: ServerRecipe): Promise<ServerProgram> {
    const folder = await mkdtemp(join(tmpdir(), `keel-${recipe.name}-`));
    // A server that is started as root gives its rights away before it writes.
    await chmod(folder, 0o777);
    for (let left = PORTS_TO_TRY; left > 0; left -= 1) {
      const port = await freePort();
      const [program, ...line] = await recipe.command(folder, port);
      const child = spawn(program, line, { stdio: 'ignore' });
      // Without a listener a program that is missing would end the tests; `isListening` says so.
      child.on('error', () => undefined);
      if (await isListening(recipe, folder, port, child)) return new ServerProgram(port, folder, child);
      child.kill('SIGKILL');
    }
    await rm(folder, { recursive: true, force: true });
    throw new Error(`${recipe.name} did not start`);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#endWithParent);
    const hasEnded = this.#process.exitCode !== null || this.#process.signalCode !== null;
    const ended = hasEnded ? undefined : once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function isListening(
  { answers }: ServerRecipe,
  folder: string,
  port: number,
  child: ChildProcess,
): Promise<boolean> {
  const giveUpAt = Date.now() + PATIENCE_MILLISECONDS;
  while (Date.now() < giveUpAt) {
    if (child.pid === undefined || child.exitCode !== null) return false;
    const isUp = await answers(folder, port).catch(() => false);
    if (isUp) return true;
    await wait(POLL_MILLISECONDS);
  }
  return false;
}
