import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { basename, join } from 'node:path';
import { ServerProgram } from './server-program.ts';
import type { Login } from './token-server.ts';

/** The one user of a proxy that wants a login. */
export const PROXY_LOGIN: Login = { username: 'keel', password: 'keel-proxy-password' };
// As `openssl passwd -apr1` writes it.
const PASSWORDS = 'keel:$apr1$keelkeel$pmaQDFx8XoS1eWjx3zIhR.';

/** What one squid lets through. */
export interface SquidConfiguration {
  /** Names that only the proxy knows; they lead to this machine. */
  readonly names: readonly string[];
  readonly wantsLogin?: boolean;
  /** Names that it lets nobody ask for. */
  readonly denied?: readonly string[];
}

/** Debian's squid, the only way to some hosts. */
export class Squid implements AsyncDisposable {
  readonly host: string;
  readonly #program: ServerProgram;

  private constructor(program: ServerProgram) {
    this.#program = program;
    this.host = `127.0.0.1:${program.port}`;
  }

  static async start(configuration: SquidConfiguration): Promise<Squid> {
    return new Squid(
      await ServerProgram.start({
        name: 'squid',
        command: async (folder, port) => [
          '/usr/sbin/squid',
          '-N',
          '-f',
          await write(folder, port, configuration),
        ],
        answers: async (folder, port) => (await via(port)).includes(basename(folder)),
      }),
    );
  }

  /** Such as `http://127.0.0.1:40123`. */
  get url(): string {
    return `http://${this.host}`;
  }

  /** The address with the login in it, as people write it into HTTPS_PROXY. */
  urlFor({ username, password }: Login): string {
    return `http://${username}:${password}@${this.host}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

async function write(
  folder: string,
  port: number,
  { names, wantsLogin = false, denied = [] }: SquidConfiguration,
): Promise<string> {
  const [file, hosts, users] = ['squid.conf', 'hosts', 'users'].map((name) => join(folder, name));
  if (file === undefined || hosts === undefined || users === undefined) throw new Error('no files');
  await writeFile(hosts, names.map((name) => `127.0.0.1 ${name}\n`).join(''));
  await writeFile(users, PASSWORDS);
  const login = `
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${users}
auth_param basic children 2
auth_param basic realm keel
acl known proxy_auth REQUIRED
`;
  await writeFile(
    file,
    `
http_port 127.0.0.1:${port}
visible_hostname ${basename(folder)}
pid_filename none
netdb_filename none
cache deny all
cache_mem 8 MB
access_log none
cache_store_log none
cache_log ${folder}/cache.log
coredump_dir ${folder}
hosts_file ${hosts}
shutdown_lifetime 0 seconds
${denied.length === 0 ? '' : `acl denied dstdomain ${denied.join(' ')}\nhttp_access deny denied`}
${wantsLogin ? `${login}http_access allow known` : 'http_access allow all'}
http_access deny all
`,
  );
  return file;
}

/** Returns the header by which a squid says who it is, also where it refuses. */
async function via(port: number): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: 'http://nowhere.invalid/', agent: false };
    get(options, (answer) => {
      answer.resume();
      resolve(`${answer.headers.via ?? ''} ${answer.headers['x-cache'] ?? ''}`);
    }).on('error', reject);
  });
}
