import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Certificate } from '../test-authority.ts';

/** A server on a free port of the loopback address. */
export interface OpenListener {
  /** Such as `https://127.0.0.1:40123`. */
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The TCP connections of all listeners, also those under TLS, by the ports of both ends. */
const connections = new Map<string, Socket>();

function portsOf({ localPort, remotePort }: Socket): string {
  return `${localPort} ${remotePort}`;
}

/** Resets the connection of a request. A socket with TLS cannot do that by itself. */
export function resetConnection(socket: Socket | null): void {
  if (socket === null) return;
  (connections.get(portsOf(socket)) ?? socket).resetAndDestroy();
}

/** Listens on a free loopback port, with TLS when a certificate is given. */
export async function listen(
  answer: RequestListener,
  certificate: Certificate | undefined,
): Promise<OpenListener> {
  const server: Server =
    certificate === undefined
      ? createServer(answer)
      : createTlsServer({ key: certificate.key, cert: certificate.certificate }, answer);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    const ports = portsOf(socket);
    sockets.add(socket);
    connections.set(ports, socket);
    socket.on('close', () => {
      sockets.delete(socket);
      connections.delete(ports);
    });
  });
  // Idle connections must not be closed under a client that is about to use them: that would be a fault nobody asked for.
  server.keepAliveTimeout = 300_000;
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
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
