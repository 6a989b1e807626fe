/** What OpenSSL says where the other side speaks no TLS: its "wrong version number" and "packet length too long". */
const NO_TLS = /\berror:0A000(?:0C6|10B):|^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/;
const CUT: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** Returns whether an error of node:tls means that the other side answered, and in no TLS. */
export function isAnsweredWithoutTls(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  // Node gives the number of the error in the text alone. https://github.com/nodejs/node/blob/main/src/crypto/crypto_tls.cc
  return NO_TLS.test(String(error.code)) || (error.code === 'EPROTO' && NO_TLS.test(error.message));
}

/** Returns whether an error means that the connection was closed, as servers do that cannot read what TLS begins with. */
export function isCut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CUT.has(String(error.code));
}
