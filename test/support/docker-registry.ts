import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Host, parseHost } from '../../src/registry/oci/reference.ts';
import { ServerProgram } from './server-program.ts';
import { LOOPBACK_FILES } from './test-authority.ts';
import {
  LOGIN,
  type Login,
  TOKEN_CERTIFICATE,
  TOKEN_ISSUER,
  TOKEN_SERVICE,
  TokenServer,
} from './token-server.ts';

// As `htpasswd -Bbn` writes it.
const PASSWORDS = 'keel:$2y$05$keelkeelkeelkeelkeelkegJFZCVbLGCWKK3S.7hP4gepGc7pX6p.\n';

/** Who may use a registry: everyone, the user by name and password, or the user by a token; strangers may then pull. */
export type Access = 'open' | 'htpasswd' | 'token';

interface Manner {
  readonly access: Access;
  readonly isPlain: boolean;
  /** The path below which its API lies. */
  readonly prefix: string;
}

/** A port that was free may be another registry's a moment later: each tells by this header which it is. */
const MARK = 'x-keel-registry';
const run = promisify(execFile);

/** Debian's docker-registry on a port and in a folder of its own. Disposing ends it and removes what it stored. */
export class DockerRegistry implements AsyncDisposable {
  readonly host: Host;
  /** Whether it speaks HTTP without TLS. */
  readonly isPlain: boolean;
  /** What a push needs; undefined for a registry that is open. */
  readonly login: Login | undefined;
  /** Where its tokens come from. */
  readonly tokens: TokenServer | undefined;
  readonly #program: ServerProgram;

  private constructor(program: ServerProgram, tokens: TokenServer | undefined, { access, isPlain }: Manner) {
    this.host = parseHost(`127.0.0.1:${program.port}`);
    this.isPlain = isPlain;
    this.login = access === 'open' ? undefined : LOGIN;
    this.tokens = tokens;
    this.#program = program;
  }

  /** Starts one, with TLS unless `tls` is false. */
  static async start(access: Access = 'open', { tls = true, prefix = '/' } = {}): Promise<DockerRegistry> {
    const manner: Manner = { access, isPlain: !tls, prefix };
    const tokens = access === 'token' ? await TokenServer.start(LOGIN, { tls }) : undefined;
    const ping = (port: number): string => `${tls ? 'https' : 'http'}://127.0.0.1:${port}${prefix}v2/`;
    try {
      const program = await ServerProgram.start({
        name: 'docker-registry',
        command: async (folder, port) => {
          const file = await writeConfiguration(folder, `127.0.0.1:${port}`, manner, tokens);
          return ['docker-registry', 'serve', file];
        },
        answers: async (folder, port) => (await fetch(ping(port))).headers.get(MARK) === folder,
      });
      return new DockerRegistry(program, tokens, manner);
    } catch (error) {
      await tokens?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of the registry's process, for measurements. */
  get pid(): number {
    return this.#program.pid;
  }

  /** Removes what no tag names, as administrators do each week. Returns what it told. */
  async collectGarbage(): Promise<string> {
    const file = join(this.#program.folder, 'config.yml');
    const { stdout } = await run('docker-registry', ['garbage-collect', '--delete-untagged', file]);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await this.tokens?.[Symbol.asyncDispose]();
  }
}

async function writeConfiguration(
  folder: string,
  host: string,
  { access, isPlain, prefix }: Manner,
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
        rootcertbundle: TOKEN_CERTIFICATE,
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
      prefix,
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
