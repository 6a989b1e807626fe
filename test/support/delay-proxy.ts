import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import type { DuplexOptions } from 'node:stream';
import type { Host } from '../../src/registry/oci/reference.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';

/** What the way to a host is like. */
export interface Distance {
  /** There and back. */
  readonly roundTripMilliseconds: number;
  /** Of all connections together, in each direction; without it there is no cap. */
  readonly bytesPerSecond?: number;
}

/** What went over the way so far. */
export interface Traffic {
  readonly connections: number;
  /** How many of each method, of HTTP without TLS. */
  readonly requests: Readonly<Record<string, number>>;
  /** Towards the host. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** What one connection may have under way in one direction, as receive windows of common systems allow. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** So much an end takes before it has to be waited for: small pieces would cost the proxy more than the way does. */
const TAKEN_AT_ONCE_BYTES = 1024 * 1024;

/** A client that waits for its answers begins each request with a piece of its own. */
const REQUEST = /^(GET|HEAD|POST|PUT|PATCH|DELETE) \//;
const LONGEST_METHOD = 'DELETE /'.length;

/** Bytes under way in one direction of all connections, which share its rate. */
class Rate {
  readonly #bytesPerSecond: number;
  #freeAt = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Returns when the last of so many bytes has left, if they are sent as soon as those before them have. */
  leave(bytes: number): number {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes * 1000) / this.#bytesPerSecond;
    return this.#freeAt;
  }
}

/** One direction of one connection: pieces arrive in their order, each as long after it left as the way is. */
class Lane {
  readonly #pieces: { readonly dueAt: number; readonly bytes: Buffer | undefined }[] = [];
  readonly #from: Socket;
  readonly #to: Socket;
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `openAt` is when the connection is made; nothing leaves before. */
  constructor(
    ends: { from: Socket; to: Socket },
    delay: number,
    rate: Rate,
    openAt: number,
    onBytes: (bytes: Buffer) => void,
  ) {
    this.#from = ends.from;
    this.#to = ends.to;
    ends.from.on('data', (bytes: Buffer) => {
      onBytes(bytes);
      this.#underWay += bytes.length;
      if (this.#underWay >= WINDOW_BYTES) ends.from.pause();
      this.#add(Math.max(openAt, rate.leave(bytes.length)) + delay, bytes);
    });
    ends.from.on('end', () => this.#add(Math.max(openAt, rate.leave(0)) + delay, undefined));
    ends.to.on('close', () => clearTimeout(this.#timer));
    ends.to.on('drain', () => this.#deliver());
  }

  #add(dueAt: number, bytes: Buffer | undefined): void {
    this.#pieces.push({ dueAt, bytes });
    if (this.#pieces.length === 1) this.#wait();
  }

  #wait(): void {
    const [next] = this.#pieces;
    if (next === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#deliver(), Math.max(0, next.dueAt - performance.now()));
  }

  /** Hands over all that has arrived; the rest waits for its time, or for the other end to take it. */
  #deliver(): void {
    const now = performance.now();
    // Timers are due on whole milliseconds: what is due within the next one has arrived.
    for (let next = this.#pieces[0]; next !== undefined && next.dueAt <= now + 0.5; next = this.#pieces[0]) {
      if (this.#to.destroyed) return;
      if (this.#to.writableNeedDrain) return;
      this.#pieces.shift();
      if (next.bytes === undefined) {
        this.#to.end();
        return;
      }
      this.#underWay -= next.bytes.length;
      this.#to.write(next.bytes);
    }
    if (this.#underWay < WINDOW_BYTES && this.#from.isPaused()) this.#from.resume();
    this.#wait();
  }
}

/**
 * Puts a long way between a client and a host on loopback: every byte arrives half a round trip later, and a new
 * connection costs a round trip, as TCP's handshake does. It is best run in a process of its own, so that it does not
 * measure what it delays.
 */
export class DelayProxy implements AsyncDisposable {
  readonly host: Host;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #requests: Record<string, number> = {};
  #connections = 0;
  #bytesSent = 0;
  #bytesReceived = 0;
  #cutAfter = Number.POSITIVE_INFINITY;

  private constructor(server: Server, host: Host) {
    this.#server = server;
    this.host = host;
  }

  static async start(upstream: Host, distance: Distance): Promise<DelayProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: TAKEN_AT_ONCE_BYTES });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    const proxy = new DelayProxy(server, parseHost(`127.0.0.1:${address.port}`));
    const { roundTripMilliseconds, bytesPerSecond = Number.POSITIVE_INFINITY } = distance;
    const up = new Rate(bytesPerSecond);
    const down = new Rate(bytesPerSecond);
    const upstreamPort = Number(upstream.split(':').at(-1));
    server.on('connection', (near) => {
      const options: NetConnectOpts & DuplexOptions = {
        port: upstreamPort,
        host: '127.0.0.1',
        allowHalfOpen: true,
        noDelay: true,
        writableHighWaterMark: TAKEN_AT_ONCE_BYTES,
      };
      const far = connect(options);
      proxy.#keep(near, far);
      const openAt = performance.now() + roundTripMilliseconds;
      const half = roundTripMilliseconds / 2;
      new Lane({ from: near, to: far }, half, up, openAt, (bytes) => {
        proxy.#bytesSent += bytes.length;
        const method = REQUEST.exec(bytes.toString('latin1', 0, LONGEST_METHOD))?.[1];
        if (method !== undefined) proxy.#requests[method] = (proxy.#requests[method] ?? 0) + 1;
        proxy.#cutIfTime(near, far);
      });
      new Lane({ from: far, to: near }, half, down, openAt, (bytes) => {
        proxy.#bytesReceived += bytes.length;
        proxy.#cutIfTime(near, far);
      });
    });
    return proxy;
  }

  get traffic(): Traffic {
    return {
      connections: this.#connections,
      requests: { ...this.#requests },
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
    };
  }

  /** Cuts the connection over which the next so many bytes will have passed, in both directions together; once. */
  cutAfter(bytes: number): void {
    this.#cutAfter = this.#bytesSent + this.#bytesReceived + bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(near: Socket, far: Socket): void {
    this.#connections += 1;
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', (hadError) => {
        this.#sockets.delete(socket);
        if (hadError) other.destroy();
      });
    }
  }

  #cutIfTime(near: Socket, far: Socket): void {
    if (this.#bytesSent + this.#bytesReceived < this.#cutAfter) return;
    this.#cutAfter = Number.POSITIVE_INFINITY;
    near.resetAndDestroy();
    far.resetAndDestroy();
  }
}
