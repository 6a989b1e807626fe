import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Certificate } from '../test-authority.ts';

/** A server on a port of the loopback address. */
export interface OpenListener {
  /** Such as `https://127.0.0.1:40123`. */
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The TCP connections below those with TLS, which cannot be reset themselves. */
const underTls = new WeakMap<Socket, Socket>();

/** Resets the connection of a request; one that the client has left already is only closed. */
export function resetConnection(socket: Socket | null): void {
  if (socket instanceof TLSSocket) {
    const below = underTls.get(socket);
    if (below === undefined) socket.destroy();
    else below.resetAndDestroy();
  } else socket?.resetAndDestroy();
}

/** Listens on a loopback port, with TLS when a certificate is given. Port 0 is a free one. */
export async function listen(
  answer: RequestListener,
  certificate: Certificate | undefined,
  port = 0,
): Promise<OpenListener> {
  const server: Server =
    certificate === undefined
      ? createServer(answer)
      : createTlsServer({ key: certificate.key, cert: certificate.certificate }, answer);
  const sockets = new Set<Socket>();
  const byPort = new Map<number | undefined, Socket>();
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket;
    sockets.add(socket);
    byPort.set(remotePort, socket);
    socket.on('close', () => {
      sockets.delete(socket);
      if (byPort.get(remotePort) === socket) byPort.delete(remotePort);
    });
  });
  // Its ports are known now; once the client has left, nobody tells them any more.
  server.on('secureConnection', (socket: TLSSocket) => {
    const below = socket.remotePort === undefined ? undefined : byPort.get(socket.remotePort);
    if (below !== undefined) underTls.set(socket, below);
  });
  // Idle connections must not be closed under a client that is about to use them: that would be a fault nobody asked for.
  server.keepAliveTimeout = 300_000;
  server.requestTimeout = 0;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return {
    origin: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    port: address.port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      // The server itself does not know those whose handshake is under way.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
