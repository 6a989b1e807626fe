import { Failure } from '../failure.ts';

export type HttpFailureCode = 'UNREACHABLE' | 'TIMED_OUT' | 'TLS_REFUSED' | 'PROXY_REFUSED';

/** A request that got no answer, or not a whole one. */
export class HttpFailure extends Failure<HttpFailureCode> {
  override readonly name = 'HttpFailure';
  /** Whether the same request could get an answer a moment later. */
  readonly transient: boolean;

  constructor(
    code: HttpFailureCode,
    about: string,
    message: string,
    transient: boolean,
    more: {
      hint?: string;
      cause?: unknown;
    },
  ) {
    super({ code, about, message, ...more });
    this.transient = transient;
  }
}

const UNKNOWN_HOST: ReadonlySet<string> = new Set(['ENOTFOUND', 'EINVAL']);
const TLS_CODE = /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO)/;

/** Turns what node:http throws for a request to `host` into a failure that says what to change. */
export function explainNetworkError(error: unknown, host: string): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const more = { cause: error };
  if (UNKNOWN_HOST.has(code)) {
    const hint = 'check its spelling, the name server and, behind a proxy, HTTPS_PROXY';
    return new HttpFailure('UNREACHABLE', host, 'no such host', false, { ...more, hint });
  }
  if (code === 'ECONNREFUSED') {
    const hint = 'check the port and whether the service there is running';
    return new HttpFailure('UNREACHABLE', host, 'the connection was refused', true, { ...more, hint });
  }
  if (TLS_CODE.test(code)) {
    const hint =
      code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER'
        ? `a registry that speaks plain HTTP needs --insecure-registry ${host}`
        : 'give the certificate authority that signed it with --ca-file';
    return new HttpFailure('TLS_REFUSED', host, `its certificate or TLS was not accepted (${code})`, false, {
      ...more,
      hint,
    });
  }
  const detail = code === '' ? (error instanceof Error ? error.message : String(error)) : code;
  return new HttpFailure('UNREACHABLE', host, `the connection broke (${detail})`, true, more);
}
