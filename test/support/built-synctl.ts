import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { processesIn, witnessed } from './processes.ts';
import { scratchFolder } from './scratch-folder.ts';
import { fileTimes, findSecrets, findSecretsInFiles, secretVariables } from './secret-search.ts';
import { AUTHORITY_FILE } from './test-authority.ts';
import type { Login } from './token-server.ts';

/** What a command said and how it ended. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm test` and `make test` compile before they test. */
const PROGRAM = fileURLToPath(new URL('../../build/src/synctl.js', import.meta.url));

/** A folder in which someone uses the built synctl, with nothing of this machine's user. */
export class Desk {
  readonly folder = scratchFolder();
  readonly #beside = scratchFolder();
  readonly #environment: Record<string, string> = {
    HOME: this.folder,
    NODE_EXTRA_CA_CERTS: AUTHORITY_FILE,
  };

  constructor(login?: Login) {
    if (login !== undefined) this.logIn(login);
  }

  logIn({ username, password }: Login): void {
    this.set('KEEL_USERNAME', username);
    this.set('KEEL_PASSWORD', password);
  }

  set(variable: string, value: string): void {
    this.#environment[variable] = value;
  }

  /** Writes a file into the folder and returns its name. */
  write(name: string, content: string | object): string {
    writeFileSync(
      join(this.folder, name),
      typeof content === 'string' ? content : JSON.stringify(content, undefined, 2),
    );
    return name;
  }

  /** Runs synctl in the folder, with patience that suits a test. No secret of its environment may get out of it. */
  async run(command: string, ...line: readonly string[]): Promise<Said> {
    return await this.pipe('', command, ...line);
  }

  /** The same behind a pipe that `input` comes through. */
  async pipe(input: string, command: string, ...line: readonly string[]): Promise<Said> {
    const { PATH = '' } = process.env;
    const witness = join(this.#beside, 'processes.txt');
    const before = fileTimes(this.folder);
    const talks = ['sync', 'check', 'doctor'].includes(command);
    const patience = talks ? ['--retry', '2', '--retry-interval', '5ms'] : [];
    const child = spawn(process.execPath, [PROGRAM, command, ...patience, ...line], {
      cwd: this.folder,
      env: { PATH, ...this.#environment, ...witnessed(witness) },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // A command that refuses its flags ends without having read.
    child.stdin.on('error', () => undefined).end(input);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    const secrets = secretVariables(this.#environment);
    expect([
      ...findSecrets('its output', `${stdout}${stderr}`, secrets),
      ...findSecrets('the list of processes', processesIn(witness).join('\n'), secrets),
      ...findSecretsInFiles(this.folder, secrets, before),
    ]).toEqual([]);
    return { code, stdout, stderr };
  }
}
