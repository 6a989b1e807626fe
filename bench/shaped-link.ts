import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a connection over a long way is like. */
export interface LinkShape {
  /** Milliseconds there and back. */
  readonly roundTrip: number;
  /** Of all connections together, in each direction. */
  readonly bitsPerSecond: number;
}

/** What one connection may have under way in one direction, as a receive window of common systems allows. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** One direction of the link: bytes leave one after the other at its rate and arrive half a round trip later. */
class Direction {
  readonly #delay: number;
  readonly #millisecondsPerByte: number;
  #freeAt = 0;

  constructor(shape: LinkShape) {
    this.#delay = shape.roundTrip / 2;
    this.#millisecondsPerByte = 8000 / shape.bitsPerSecond;
  }

  join(from: Socket, to: Socket): void {
    let underWay = 0;
    from.on('data', (chunk: Buffer) => {
      const now = performance.now();
      this.#freeAt = Math.max(now, this.#freeAt) + chunk.length * this.#millisecondsPerByte;
      underWay += chunk.length;
      if (underWay >= WINDOW_BYTES) from.pause();
      setTimeout(
        () => {
          underWay -= chunk.length;
          if (!to.destroyed) to.write(chunk);
          if (underWay < WINDOW_BYTES) from.resume();
        },
        this.#freeAt - now + this.#delay,
      );
    });
    from.on('end', () =>
      setTimeout(() => to.end(), Math.max(0, this.#freeAt - performance.now()) + this.#delay + 5),
    );
  }
}

/** Passes connections on to a host as a link of that shape would. New connections wait for their round trip too. */
export class ShapedLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: URL, shape: LinkShape) {
    const up = new Direction(shape);
    const down = new Direction(shape);
    this.#server = createServer({ pauseOnConnect: true }, (near) => {
      this.#keep(near);
      setTimeout(() => {
        const far = connect(Number(target.port), target.hostname);
        this.#keep(far);
        up.join(near, far);
        down.join(far, near);
        near.resume();
      }, shape.roundTrip);
    });
  }

  static async open(target: URL, shape: LinkShape): Promise<ShapedLink> {
    const link = new ShapedLink(target, shape);
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket));
  }
}
