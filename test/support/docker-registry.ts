import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Host, parseHost } from '../../src/registry/oci/reference.ts';
import { LOOPBACK_FILES } from './test-authority.ts';
import { type Login, TOKEN_CERTIFICATE, TOKEN_ISSUER, TOKEN_SERVICE, TokenServer } from './token-server.ts';

/** The one user of a registry that wants a login. */
export const LOGIN: Login = { username: 'keel', password: 'keel-test-password' };
// As `htpasswd -Bbn` writes it.
const PASSWORDS = 'keel:$2y$05$keelkeelkeelkeelkeelkegJFZCVbLGCWKK3S.7hP4gepGc7pX6p.\n';

/** Who may use a registry: everyone, the user by name and password, or the user by a token; strangers may then pull. */
export type Access = 'open' | 'htpasswd' | 'token';

interface Manner {
  readonly access: Access;
  readonly isPlain: boolean;
}

/** A port that was free may be another registry's a moment later: each tells by this header which it is. */
const MARK = 'x-keel-registry';
const run = promisify(execFile);
const PORTS_TO_TRY = 5;
const POLL_MILLISECONDS = 10;
const PATIENCE_MILLISECONDS = 60_000;

/** Debian's docker-registry on a port and in a folder of its own. Disposing ends it and removes what it stored. */
export class DockerRegistry implements AsyncDisposable {
  readonly host: Host;
  /** Whether it speaks HTTP without TLS. */
  readonly isPlain: boolean;
  /** What a push needs; undefined for a registry that is open. */
  readonly login: Login | undefined;
  /** Where its tokens come from. */
  readonly tokens: TokenServer | undefined;
  readonly #folder: string;
  readonly #process: ChildProcess;
  // A test that ran out of time never disposes of what it used; its process ends all the same.
  readonly #endWithParent = (): void => {
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  };

  private constructor(
    host: Host,
    folder: string,
    process: ChildProcess,
    tokens: TokenServer | undefined,
    { access, isPlain }: Manner,
  ) {
    this.host = host;
    this.isPlain = isPlain;
    this.login = access === 'open' ? undefined : LOGIN;
    this.tokens = tokens;
    this.#folder = folder;
    this.#process = process;
    globalThis.process.once('exit', this.#endWithParent);
  }

  /** Starts one, with TLS unless `tls` is false. */
  static async start(access: Access = 'open', { tls = true } = {}): Promise<DockerRegistry> {
    const manner: Manner = { access, isPlain: !tls };
    const folder = await mkdtemp(join(tmpdir(), 'keel-registry-'));
    const tokens = access === 'token' ? await TokenServer.start(LOGIN, { tls }) : undefined;
    // Between finding a free port and using it someone else may take it.
    for (let left = PORTS_TO_TRY; left > 0; left -= 1) {
      const host = `127.0.0.1:${await freePort()}`;
      const file = await writeConfiguration(folder, host, manner, tokens);
      const process = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
      // Without a listener a program that is missing would end the tests; `isListening` tells.
      process.on('error', () => undefined);
      if (await isListening(`${tls ? 'https' : 'http'}://${host}`, folder, process))
        return new DockerRegistry(parseHost(host), folder, process, tokens, manner);
      process.kill('SIGKILL');
    }
    await tokens?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
    throw new Error('docker-registry did not start');
  }

  /** Of the registry's process, for measurements. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Removes what no tag names, as administrators do each week. Returns what it told. */
  async collectGarbage(): Promise<string> {
    const file = join(this.#folder, 'config.yml');
    const { stdout } = await run('docker-registry', ['garbage-collect', '--delete-untagged', file]);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    globalThis.process.off('exit', this.#endWithParent);
    const hasEnded = this.#process.exitCode !== null || this.#process.signalCode !== null;
    const ended = hasEnded ? undefined : new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    await this.tokens?.[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function writeConfiguration(
  folder: string,
  host: string,
  { access, isPlain }: Manner,
  tokens: TokenServer | undefined,
): Promise<string> {
  const users = join(folder, 'users');
  if (access === 'htpasswd') await writeFile(users, PASSWORDS);
  const auth = {
    open: {},
    htpasswd: { htpasswd: { realm: 'keel', path: users } },
    token: {
      token: {
        realm: tokens?.realm,
        service: TOKEN_SERVICE,
        issuer: TOKEN_ISSUER,
        rootcertbundle: fileURLToPath(TOKEN_CERTIFICATE),
      },
    },
  }[access];
  const configuration = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder, 'data') },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: host,
      secret: 'test',
      headers: { [MARK]: [folder] },
      ...(isPlain ? {} : { tls: LOOPBACK_FILES }),
    },
    ...(access === 'open' ? {} : { auth }),
  };
  // The registry reads YAML, of which JSON is a part.
  const file = join(folder, 'config.yml');
  await writeFile(file, JSON.stringify(configuration));
  return file;
}

async function isListening(origin: string, folder: string, process: ChildProcess): Promise<boolean> {
  const giveUpAt = Date.now() + PATIENCE_MILLISECONDS;
  while (Date.now() < giveUpAt) {
    if (process.pid === undefined || process.exitCode !== null) return false;
    const isUp = await fetch(`${origin}/v2/`).then(
      ({ headers }) => headers.get(MARK) === folder,
      () => false,
    );
    if (isUp) return true;
    await wait(POLL_MILLISECONDS);
  }
  return false;
}

/** Returns a port of loopback that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
