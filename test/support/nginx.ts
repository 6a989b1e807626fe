import { mkdir, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Host, parseHost } from '../../src/registry/oci/reference.ts';
import { ServerProgram } from './server-program.ts';
import { AUTHORITY_FILE, LOOPBACK_FILES } from './test-authority.ts';

const MARK = '/which-nginx-is-this';

/** What stands in the configuration of one nginx, besides what each has. */
export interface NginxConfiguration {
  /** Directives of the `http` block. */
  readonly http?: string;
  /** Directives of the `server` block, as `location / { proxy_pass http://…; }`. */
  readonly server: string;
  /** Also speak HTTP/2 to those who want it. */
  readonly http2?: boolean;
}

/** Debian's nginx with TLS, as it stands in front of a registry. */
export class Nginx implements AsyncDisposable {
  readonly host: Host;
  readonly #program: ServerProgram;

  private constructor(program: ServerProgram) {
    this.#program = program;
    this.host = parseHost(`127.0.0.1:${program.port}`);
  }

  static async start(configuration: NginxConfiguration): Promise<Nginx> {
    return new Nginx(
      await ServerProgram.start({
        name: 'nginx',
        command: async (folder, port) => [
          '/usr/sbin/nginx',
          '-e',
          'stderr',
          '-c',
          await write(folder, port, configuration),
        ],
        answers: async (folder, port) => (await body(port)) === folder,
      }),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

/** Returns the directives that pass everything on to a registry, with what it needs to know of the way it was asked. */
export function passingTo(origin: string): string {
  return `
    proxy_pass ${origin};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Proto https;
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate ${AUTHORITY_FILE};
    proxy_ssl_name localhost;
    proxy_read_timeout 300;`;
}

async function write(folder: string, port: number, configuration: NginxConfiguration): Promise<string> {
  const file = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await Promise.all(temporary.map((name) => mkdir(join(folder, name), { recursive: true })));
  await writeFile(
    file,
    `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  ${configuration.http ?? ''}
  server {
    listen 127.0.0.1:${port} ssl${configuration.http2 === true ? ' http2' : ''};
    ssl_certificate ${LOOPBACK_FILES.certificate};
    ssl_certificate_key ${LOOPBACK_FILES.key};
    location = ${MARK} { return 200 "${folder}"; }
    ${configuration.server}
  }
}
`,
  );
  return file;
}

async function body(port: number): Promise<string> {
  const address = `https://127.0.0.1:${port}${MARK}`;
  return await new Promise<string>((resolve, reject) => {
    get(address, { agent: false }, (answer) => text(answer).then(resolve, reject)).on('error', reject);
  });
}
