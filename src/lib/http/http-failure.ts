import { Failure, type FailureDetails } from '../failure.ts';

/** Why a request got no answer, or an incomplete one. */
type ConnectionFailureCode = 'UNREACHABLE' | 'TIMED_OUT' | 'TLS_REFUSED' | 'PROXY_REFUSED';

const CONNECTION_CODES: ReadonlySet<string> = new Set<ConnectionFailureCode>([
  'UNREACHABLE',
  'TIMED_OUT',
  'TLS_REFUSED',
  'PROXY_REFUSED',
]);

/** A request that failed: it got no complete answer, or one that cannot be used. Its code says which. */
export class HttpFailure<Code extends string = string> extends Failure<Code> {
  override readonly name = 'HttpFailure';
  /** The status of the answer, if the request failed because of it. */
  readonly status: number | undefined;

  constructor(details: FailureDetails<Code> & { readonly status?: number | undefined }) {
    super(details);
    this.status = details.status;
  }
}

/** Returns whether an error is a request that got no answer, or an incomplete one. */
export function isConnectionFailure(error: unknown): error is HttpFailure<ConnectionFailureCode> {
  return error instanceof HttpFailure && CONNECTION_CODES.has(error.code);
}

/** Returns whether an error is a request that was answered, but with a refusal or with content that cannot be used. */
export function isAnswerFailure(error: unknown): error is HttpFailure {
  return error instanceof HttpFailure && !CONNECTION_CODES.has(error.code);
}

const UNKNOWN_HOST: ReadonlySet<string> = new Set(['ENOTFOUND', 'EINVAL']);
const TLS_CODE = /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO)/;

/** Returns the failure for an error that node:http throws for a request to `host`. */
export function explainNetworkError(error: unknown, host: string): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const common = { about: host, cause: error };
  if (UNKNOWN_HOST.has(code)) {
    const hint = 'check its spelling, the name server and, behind a proxy, HTTPS_PROXY';
    return new HttpFailure({ ...common, code: 'UNREACHABLE', message: 'no such host', hint });
  }
  if (code === 'ECONNREFUSED') {
    const message = 'the connection was refused';
    const hint = 'check the port and whether the service there is running';
    return new HttpFailure({ ...common, code: 'UNREACHABLE', message, hint, transient: true });
  }
  if (TLS_CODE.test(code)) {
    const message = `its certificate or TLS was not accepted (${code})`;
    const hint =
      code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER'
        ? `a registry that speaks plain HTTP needs --insecure-registry ${host}`
        : 'give the certificate authority that signed it with --ca-file';
    return new HttpFailure({ ...common, code: 'TLS_REFUSED', message, hint });
  }
  const detail = code === '' ? (error instanceof Error ? error.message : String(error)) : code;
  const message = `the connection broke (${detail})`;
  return new HttpFailure({ ...common, code: 'UNREACHABLE', message, transient: true });
}
