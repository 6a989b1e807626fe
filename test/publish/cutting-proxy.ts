import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Host, parseHost } from '../../src/registry/oci/reference.ts';

/** Passes connections on to a host, and cuts the first `times` that carry `bytes` towards it. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many connections were cut. */
  cuts = 0;

  private constructor(target: Host, cut: { bytes: number; times: number }) {
    const [hostname, port] = target.split(':');
    this.#server = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      let passed = 0;
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      }
      client.on('data', (chunk) => {
        passed += chunk.length;
        if (this.cuts >= cut.times || passed < cut.bytes) return;
        this.cuts += 1;
        client.destroy();
        upstream.destroy();
      });
      client.pipe(upstream).pipe(client);
    });
  }

  static async start(target: Host, cut: { bytes: number; times: number }): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target, cut);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get host(): Host {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return parseHost(`127.0.0.1:${address.port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
