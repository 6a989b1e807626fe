import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import { explainTls, isAnsweredWithoutTls, isCut } from '../../src/lib/http/tls-error.ts';

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

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes, and what Node says where it has no code. */
const CERTIFICATE_CODES = [
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_CRL', 'UNABLE_TO_DECRYPT_CERT_SIGNATURE'],
  ...['UNABLE_TO_DECRYPT_CRL_SIGNATURE', 'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', 'CERT_SIGNATURE_FAILURE'],
  ...['CRL_SIGNATURE_FAILURE', 'CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED', 'CRL_NOT_YET_VALID'],
  ...['CRL_HAS_EXPIRED', 'ERROR_IN_CERT_NOT_BEFORE_FIELD', 'ERROR_IN_CERT_NOT_AFTER_FIELD'],
  ...['ERROR_IN_CRL_LAST_UPDATE_FIELD', 'ERROR_IN_CRL_NEXT_UPDATE_FIELD', 'OUT_OF_MEM'],
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_CHAIN_TOO_LONG', 'CERT_REVOKED', 'INVALID_CA'],
  ...['PATH_LENGTH_EXCEEDED', 'INVALID_PURPOSE', 'CERT_UNTRUSTED', 'CERT_REJECTED', 'HOSTNAME_MISMATCH'],
  'UNSPECIFIED',
];

it.each(CERTIFICATE_CODES)('%s is a certificate that is not accepted, which can be skipped', (code) => {
  const error = Object.assign(new Error('permitted subtree violation'), { code });
  const trouble = explainTls(error, 'skip it');
  expect(trouble?.message).toMatch(/^its certificate /);
  expect(trouble?.hint).toMatch(/, or skip it$/);
  expect(explainTls(error, undefined)?.hint).not.toContain('skip it');
});

it('what OpenSSL says is told where Node has no code for it', () => {
  const error = Object.assign(new Error('permitted subtree violation'), { code: 'UNSPECIFIED' });
  expect(explainTls(error, undefined)?.message).toBe(
    'its certificate was not accepted (permitted subtree violation, UNSPECIFIED)',
  );
});

it.each([
  ['ERR_TLS_CERT_ALTNAME_INVALID', true],
  ['ERR_TLS_CERT_ALTNAME_FORMAT', true],
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', true],
  ['ERR_OSSL_ASN1_WRONG_TAG', true],
  ['EPROTO', true],
  ['ECONNRESET', false],
  ['EPROTONOSUPPORT', false],
  ['ERR_STREAM_PREMATURE_CLOSE', false],
])('%s is of TLS: %s', (code, isOfTls) => {
  expect(explainTls(Object.assign(new Error('no'), { code }), undefined) !== undefined).toBe(isOfTls);
});
