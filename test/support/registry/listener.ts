import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

/** A key and certificate, as PEM. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** A server on a free port of the loopback address. */
export interface OpenListener {
  /** Such as `http://127.0.0.1:40123`. */
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
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
      server.closeAllConnections();
      await closed;
    },
  };
}
