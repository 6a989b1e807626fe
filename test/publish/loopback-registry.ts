import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Host, parseHost } from '../../src/registry/reference.ts';

/** Debian's docker-registry on a port of its own; disposing ends it and removes what it stored. */
export class LoopbackRegistry {
  readonly host: Host;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(host: Host, folder: string, process: ChildProcess) {
    this.host = host;
    this.#folder = folder;
    this.#process = process;
  }

  static async start(users?: string): Promise<LoopbackRegistry> {
    const folder = await mkdtemp(join(tmpdir(), 'docker-registry-'));
    const host = `127.0.0.1:${await freePort()}`;
    const configuration = {
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
      http: { addr: host, secret: 'test' },
      ...(users === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: join(folder, 'users') } } }),
    };
    if (users !== undefined) await writeFile(join(folder, 'users'), users);
    // The registry reads YAML, of which JSON is a part.
    await writeFile(join(folder, 'config.yml'), JSON.stringify(configuration));
    const process = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
    const registry = new LoopbackRegistry(parseHost(host), folder, process);
    await registry.#ready();
    return registry;
  }

  async #ready(): Promise<void> {
    for (let left = 200; ; left -= 1) {
      const isUp = await fetch(`http://${this.host}/v2/`).then(
        () => true,
        () => false,
      );
      if (isUp) return;
      if (left === 0 || this.#process.exitCode !== null) throw new Error('docker-registry did not start');
      await wait(25);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address === 'object' ? address.port : 0;
}
