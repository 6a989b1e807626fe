import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { pipeline } from 'node:stream';
import type { Certificate } from './test-authority.ts';

/** What goes wrong with one answer; without a fault the next one is as it should be. */
export type Fault =
  /** Sends so many bytes and then nothing, until `breakHeld` cuts the connection. */
  | { readonly kind: 'hold'; readonly after: number; readonly onHeld?: () => void }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly kind: 'redirect'; readonly to: string }
  /** The whole file although a part was asked for, as servers without ranges answer. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'wrong-range' }
  /** The whole file without saying how long it is. */
  | { readonly kind: 'unmeasured' }
  /** Pieces that are made up while they are sent, perhaps without end. */
  | {
      readonly kind: 'made';
      readonly pieces: () => Iterable<Buffer>;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: 'silence' };

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** Returns the address at which a server listens on loopback. */
export function originOf(server: Server, scheme = 'http'): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return `${scheme}://127.0.0.1:${address.port}`;
}

/** A web server for files on loopback: ETags, ranges, and faults, one an answer, in the order they were given. */
export class FileServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly origin: string;
  readonly #server: Server;
  readonly #files = new Map<string, Buffer>();
  readonly #faults = new Map<string, Fault[]>();
  readonly #held = new Set<ServerResponse>();
  readonly #withoutValidator = new Set<string>();

  private constructor(server: Server, origin: string) {
    this.#server = server;
    this.origin = origin;
    server.on('request', (request, response) => this.#answer(request, response));
  }

  /** Speaks TLS when a certificate is given. */
  static async start(certificate?: Certificate): Promise<FileServer> {
    const server =
      certificate === undefined
        ? createServer()
        : createTlsServer({ key: certificate.key, cert: certificate.certificate });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FileServer(server, originOf(server, certificate === undefined ? 'http' : 'https'));
  }

  /** Serves a file and returns its address. */
  put(path: string, content: Buffer | string, ...faults: Fault[]): URL {
    this.#files.set(path, Buffer.from(content));
    this.#faults.set(path, [...faults]);
    return new URL(path, this.origin);
  }

  /** Leaves ETag and date out of the answers for a path. */
  hideValidator(path: string): void {
    this.#withoutValidator.add(path);
  }

  /** Cuts the connections of answers that are held. */
  breakHeld(): void {
    for (const response of this.#held) response.destroy();
    this.#held.clear();
  }

  requestsFor(path: string): Seen[] {
    return this.seen.filter((request) => request.path === path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    this.seen.push({ method: request.method ?? 'GET', path, headers: request.headers });
    // Who asks how large a file is, is not the one that faults are meant for.
    const fault = request.method === 'HEAD' ? undefined : this.#faults.get(path)?.shift();
    if (fault?.kind === 'silence') return;
    if (fault?.kind === 'redirect') return void response.writeHead(302, { location: fault.to }).end();
    if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end('no');
    if (fault?.kind === 'made') {
      response.writeHead(200, fault.headers);
      // Whoever has enough closes the connection.
      return void pipeline(fault.pieces(), response, () => undefined);
    }
    const file = this.#files.get(path);
    if (file === undefined) return void response.writeHead(404).end('not found');
    this.#send(file, path, request, response, fault);
  }

  #send(
    file: Buffer,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault | undefined,
  ): void {
    const etag = `"${createHash('sha256').update(file).digest('hex').slice(0, 16)}"`;
    const validator: Record<string, string> = this.#withoutValidator.has(path) ? {} : { etag };
    const asked = /^bytes=(\d+)-\d*$/.exec(request.headers.range ?? '')?.[1];
    const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    const isPart = asked !== undefined && isSame && fault?.kind !== 'whole';
    const start = isPart ? Number(asked) : 0;
    if (start >= file.length && isPart) {
      return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
    }
    const body = file.subarray(start);
    const claimed = fault?.kind === 'wrong-range' ? start + 1 : start;
    response.writeHead(isPart ? 206 : 200, {
      ...validator,
      ...(fault?.kind === 'unmeasured' ? {} : { 'content-length': body.length }),
      ...(isPart ? { 'content-range': `bytes ${claimed}-${file.length - 1}/${file.length}` } : {}),
    });
    if (fault?.kind !== 'hold') return void response.end(body);
    response.write(body.subarray(0, fault.after));
    this.#held.add(response);
    fault.onHeld?.();
  }
}
