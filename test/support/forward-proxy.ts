import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Certificate } from './test-authority.ts';

/**
 * A proxy as companies have it, for hosts that exist only behind it: it takes CONNECT for HTTPS and whole addresses
 * for plain HTTP, and leads each host where the test says.
 */
export class ForwardProxy implements AsyncDisposable {
  /** `CONNECT host:port` or `GET http://…`, in the order of asking. */
  readonly asked: string[] = [];
  /** The headers with which it was asked, in the same order. */
  readonly headers: IncomingHttpHeaders[] = [];
  readonly #routes: ReadonlyMap<string, string>;
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  readonly #sockets = new Set<Duplex>();

  readonly #refusal: number;

  /** `routes` lead from `host:port` to the origin of a server on this machine; others are refused with that status. */
  constructor(routes: ReadonlyMap<string, string>, refusal: number, tls: Certificate | undefined) {
    const forward = (incoming: IncomingMessage, response: ServerResponse): void =>
      this.#forward(incoming, response);
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server =
      tls === undefined
        ? createServer(forward)
        : createTlsServer({ key: tls.key, cert: tls.certificate }, forward);
    this.#routes = routes;
    this.#refusal = refusal;
    this.#server.on('connect', (incoming: IncomingMessage, client: Duplex) => this.#tunnel(incoming, client));
  }

  /** With a certificate the proxy itself speaks TLS. */
  static async start(
    routes: Readonly<Record<string, string>>,
    refusal = 502,
    tls?: Certificate,
  ): Promise<ForwardProxy> {
    const proxy = new ForwardProxy(new Map(Object.entries(routes)), refusal, tls);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return `${this.#scheme}://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #tunnel(incoming: IncomingMessage, client: Duplex): void {
    this.asked.push(`CONNECT ${incoming.url}`);
    this.headers.push(incoming.headers);
    const target = this.#routes.get(incoming.url ?? '');
    if (target === undefined) {
      client.end(`HTTP/1.1 ${this.#refusal} No\r\n\r\n`);
      return;
    }
    const server: Socket = connect(Number(new URL(target).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.pipe(server).pipe(client);
    });
    // What resets its connection resets that through the proxy.
    server.on('error', () => client.destroy());
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    }
  }

  #forward(incoming: IncomingMessage, response: ServerResponse): void {
    this.asked.push(`${incoming.method} ${incoming.url}`);
    this.headers.push(incoming.headers);
    const url = new URL(incoming.url ?? '/');
    const target = this.#routes.get(`${url.hostname}:${url.port || '80'}`);
    if (target === undefined) {
      response.writeHead(this.#refusal).end();
      return;
    }
    const { method } = incoming;
    // What is for the proxy stays there (RFC 9110, 11.7.1).
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const options = { ...(method === undefined ? {} : { method }), headers };
    const outgoing = request(`${target}${url.pathname}${url.search}`, options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  }
}
