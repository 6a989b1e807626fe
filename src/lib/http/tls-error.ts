/** OpenSSL's errors if the other side does not use TLS: "wrong version number" and "packet length too long". */
const NO_TLS = /\berror:0A000(?:0C6|10B):|^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/;
/** OpenSSL's "unsupported protocol" and "alert protocol version". */
const OLD_TLS = /\berror:0A000(?:102|42E):|^ERR_SSL_(?:UNSUPPORTED_PROTOCOL|TLSV1_ALERT_PROTOCOL_VERSION)$/;
const CERTIFICATE_WANTED = /\berror:0A00045C:|^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/;
const TLS_CODE = /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$)/;
/**
 * Why Node does not accept a certificate. UNSPECIFIED stands for all reasons without a code of their own.
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes
 * https://github.com/nodejs/node/blob/v24.x/deps/ncrypto/ncrypto.cc
 */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CRL_SIGNATURE_FAILURE',
  'CERT_NOT_YET_VALID',
  'CERT_HAS_EXPIRED',
  'CRL_NOT_YET_VALID',
  'CRL_HAS_EXPIRED',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  'OUT_OF_MEM',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'INVALID_CA',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_PURPOSE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'HOSTNAME_MISMATCH',
  'UNSPECIFIED',
]);
const CUT: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
const SHOWN_NAMES = 5;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

// For some errors of OpenSSL, Node has the number only in the text.
// https://github.com/nodejs/node/blob/main/src/crypto/crypto_tls.cc
function isNumbered(error: unknown, pattern: RegExp): boolean {
  const code = codeOf(error);
  return pattern.test(code) || (code === 'EPROTO' && error instanceof Error && pattern.test(error.message));
}

/** Returns whether an error of node:tls means that the other side answered without TLS. */
export function isAnsweredWithoutTls(error: unknown): boolean {
  return isNumbered(error, NO_TLS);
}

/** Returns whether an error means that the server closed the connection, as it does if it cannot read a TLS handshake. */
export function isCut(error: unknown): boolean {
  return CUT.has(codeOf(error));
}

/** What was wrong with TLS at a host or proxy, and what to change. */
interface TlsTrouble {
  readonly message: string;
  readonly hint: string;
}

/**
 * Returns what an error of node:tls means; undefined if the error is of another kind. `skip` is what the user can do if
 * the certificate cannot be corrected; undefined if nothing.
 */
export function explainTls(error: unknown, skip: string | undefined): TlsTrouble | undefined {
  const code = codeOf(error);
  const isCertificate = CERTIFICATE_CODES.has(code);
  if (!isCertificate && !TLS_CODE.test(code)) return undefined;
  const orSkip = skip === undefined ? '' : `, or ${skip}`;
  if (isAnsweredWithoutTls(error)) {
    return { message: 'it does not use TLS', hint: 'check the port' };
  }
  if (isNumbered(error, OLD_TLS)) {
    const message = 'it supports only versions of TLS that are too old';
    return { message, hint: 'enable TLS 1.2 or newer on it' };
  }
  if (isNumbered(error, CERTIFICATE_WANTED)) {
    const message = 'the server requires a client certificate, which is not supported';
    return { message, hint: 'configure it to accept a user name and password instead' };
  }
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID': {
      const hint = `use a name that is in its certificate, or issue a certificate for this name${orSkip}`;
      return { message: `its certificate is for ${namesOf(error)}`, hint };
    }
    case 'CERT_HAS_EXPIRED': {
      const hint = `renew it; if it is still valid, correct the clock of this machine${orSkip}`;
      return { message: 'its certificate has expired', hint };
    }
    case 'CERT_NOT_YET_VALID':
      return {
        message: 'its certificate is not valid yet',
        hint: `correct the clock of this machine${orSkip}`,
      };
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return {
        message: 'its certificate is self-signed',
        hint: `trust it with --ca-file, in a workflow ca-file${orSkip}`,
      };
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE': {
      const hint = `trust that authority with --ca-file, in a workflow ca-file, or let the server send all intermediate certificates${orSkip}`;
      return { message: 'its certificate is signed by an authority that this machine does not trust', hint };
    }
    default: {
      const hint = 'to see the details, run openssl s_client -connect HOST:PORT';
      if (!isCertificate) return { message: `its TLS was not accepted (${code})`, hint };
      const reason = error instanceof Error && error.message !== '' ? `${error.message}, ${code}` : code;
      return { message: `its certificate was not accepted (${reason})`, hint: `${hint}${orSkip}` };
    }
  }
}

/** Returns the names in a certificate that does not have the expected one. */
function namesOf(error: unknown): string {
  const certificate = error instanceof Error && 'cert' in error ? error.cert : undefined;
  const listed =
    typeof certificate === 'object' && certificate !== null && 'subjectaltname' in certificate
      ? String(certificate.subjectaltname ?? '')
      : '';
  const names = listed
    .split(', ')
    .map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
    .filter((name) => /^[\w.*:-]+$/.test(name));
  if (names.length === 0) return 'no name at all';
  const others = names.length > SHOWN_NAMES ? ' and others' : '';
  return `${names.slice(0, SHOWN_NAMES).join(', ')}${others}`;
}
