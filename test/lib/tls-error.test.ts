import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import { isAnsweredWithoutTls, isCut } from '../../src/lib/http/tls-error.ts';

/** Returns the error of a handshake with a server of this machine. */
async function handshakeError(server: Server): Promise<unknown> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const socket = connect({ host: '127.0.0.1', port });
    const [error] = await once(socket, 'error');
    return error;
  } finally {
    server.close();
  }
}

it.each<[string, Server, boolean, boolean]>([
  ['an HTTP server', createHttpServer(), true, false],
  [
    'one that answers something else',
    createServer((socket: Socket) => socket.end('SSH-2.0-x\r\n')),
    true,
    false,
  ],
  ['one that closes', createServer((socket: Socket) => socket.destroy()), false, true],
])('a handshake with %s', async (_, server, isWithoutTls, isClosed) => {
  const error = await handshakeError(server);
  expect([isAnsweredWithoutTls(error), isCut(error)]).toEqual([isWithoutTls, isClosed]);
});

it.each([
  ['an alert', 'EPROTO', 'write EPROTO 40A:error:0A00042E:SSL routines::tlsv1 alert protocol version', false],
  ['a certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', false],
  ['a longer number', 'EPROTO', 'error:0A00010BC:', false],
  ['a packet that is too long', 'EPROTO', 'error:0A0000C6:SSL routines::packet length too long', true],
  ['what Node names', 'ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', true],
])('%s is told apart by its number', (_, code, message, isWithoutTls) => {
  expect(isAnsweredWithoutTls(Object.assign(new Error(message), { code }))).toBe(isWithoutTls);
});
