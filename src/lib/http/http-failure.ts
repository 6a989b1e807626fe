import { Failure, type FailureDetails } from '../failure.ts';
import { explainTls, isAnsweredWithoutTls } from './tls-error.ts';

/** Why a request got no answer, or an incomplete one. */
type ConnectionFailureCode = 'UNREACHABLE' | 'TIMED_OUT' | 'TLS_REFUSED' | 'PROXY_REFUSED';

const CONNECTION_CODES: ReadonlySet<string> = new Set<ConnectionFailureCode>([
  'UNREACHABLE',
  'TIMED_OUT',
  'TLS_REFUSED',
  'PROXY_REFUSED',
]);

interface HttpFailureDetails<Code extends string> extends FailureDetails<Code> {
  readonly status?: number | undefined;
  readonly request?: string | undefined;
}

/** A request that failed: it got no complete answer, or one that cannot be used. Its code shows which. */
export class HttpFailure<Code extends string = string> extends Failure<Code> {
  override readonly name = 'HttpFailure';
  /** The status of the answer, if the request failed because of it. */
  readonly status: number | undefined;
  /** Which of several requests of one operation failed: the host that a redirect led to, or a word such as `token`. */
  readonly request: string | undefined;

  constructor(details: HttpFailureDetails<Code>) {
    super(details);
    this.status = details.status;
    this.request = details.request;
  }

  /** Returns the same failure with other details. */
  with(
    changes: Partial<Pick<HttpFailureDetails<Code>, 'about' | 'message' | 'hint' | 'deferral' | 'request'>>,
  ): HttpFailure<Code> {
    const { code, about, message, hint, cause, fault, transient, retryAt, deferral, status, request } = this;
    const known = { code, about, message, hint, cause, fault, transient, retryAt, deferral, status, request };
    return new HttpFailure({ ...known, ...changes });
  }
}

/** Returns whether an error is a request that got no answer, or an incomplete one. */
export function isConnectionFailure(error: unknown): error is HttpFailure<ConnectionFailureCode> {
  return error instanceof HttpFailure && CONNECTION_CODES.has(error.code);
}

/** Returns which of several requests of an operation failed, if the error contains it. */
export function failedRequest(error: unknown): string | undefined {
  if (!(error instanceof HttpFailure)) return undefined;
  return error.request ?? (isConnectionFailure(error) ? error.about : undefined);
}

/** Returns whether an error is a request that was answered, but with a refusal or with content that cannot be used. */
export function isAnswerFailure(error: unknown): error is HttpFailure {
  return error instanceof HttpFailure && !CONNECTION_CODES.has(error.code);
}

/** A proxy to which a connection failed. */
export interface FailedProxy {
  /** Its host and port, without a password. */
  readonly host: string;
  /** The variable of the environment that names it. */
  readonly variable: string;
  /** Whether the connection to it uses TLS. */
  readonly isSecure: boolean;
  /** Whether the variable has a name or a password for it. */
  readonly hasLogin: boolean;
}

/** Why a host or proxy gave no answer. */
interface Reason {
  readonly code: 'UNREACHABLE' | 'TLS_REFUSED';
  readonly message: string;
  readonly hint?: string | undefined;
  readonly transient: boolean;
  /** Whether it closed the connection or sent no valid HTTP, as it does if it expects TLS and receives plain HTTP. */
  readonly isBroken?: boolean | undefined;
}

/**
 * Returns the failure for an error that node:http throws for a request to `host`. `proxy` is given if it was the proxy
 * on the way that gave no answer.
 */
export function explainNetworkError(error: unknown, host: string, proxy?: FailedProxy): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const common = { about: host, cause: error };
  if (proxy === undefined) {
    const reason = reasonOf(error, `skip the verification of its certificate with --tls-skip-verify ${host}`);
    const isPlain = isAnsweredWithoutTls(error);
    const hint = isPlain ? `if the registry has no TLS, use --insecure-registry ${host}` : reason.hint;
    return new HttpFailure({ ...common, ...reason, hint });
  }
  const { code, message, hint, transient, isBroken = false } = reasonOf(error, undefined);
  const isPlain = isAnsweredWithoutTls(error);
  const remedy = isPlain ? `write http:// in ${proxy.variable}` : code === 'TLS_REFUSED' ? hint : undefined;
  const check =
    isBroken && !proxy.isSecure
      ? `check the proxy, write https:// in ${proxy.variable} if the proxy uses TLS`
      : `check the proxy and ${proxy.variable}`;
  return new HttpFailure({
    ...common,
    code,
    message: `its proxy ${proxy.host} cannot be used: ${message}`,
    hint: remedy ?? `${check}, or name ${bareHost(host)} in NO_PROXY if it needs no proxy`,
    transient,
  });
}

function bareHost(host: string): string {
  return host.replace(/:\d+$/, '');
}

/** Error codes of node:zlib. */
const DAMAGED = /^(?:Z_|ERR__|ZSTD_)/;
const NO_WAY: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL']);

function reasonOf(error: unknown, skip: string | undefined): Reason {
  const tls = explainTls(error, skip);
  if (tls !== undefined) return { code: 'TLS_REFUSED', ...tls, transient: false };
  const unreachable = { code: 'UNREACHABLE', transient: true } as const;
  if (error instanceof AggregateError) return { ...unreachable, ...reasonOfAll(error.errors, skip) };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOTFOUND' || code === 'EINVAL') {
    const hint = 'check its spelling, the name server and, behind a proxy, HTTPS_PROXY';
    return { ...unreachable, message: 'no such host', hint, transient: false };
  }
  if (code === 'EAI_AGAIN') {
    const hint = 'check that this machine is online and its name server answers';
    return { ...unreachable, message: 'the name server did not answer (EAI_AGAIN)', hint };
  }
  if (DAMAGED.test(code)) return { ...unreachable, message: `its compressed answer is damaged (${code})` };
  if (code === 'ECONNREFUSED') {
    const hint = 'check the port and whether the service there is running';
    return { ...unreachable, message: 'the connection was refused', hint };
  }
  if (NO_WAY.has(code)) {
    const hint = 'check the network of this machine, its routes and its firewall';
    return { ...unreachable, message: `there is no route to it from this machine (${code})`, hint };
  }
  if (code === 'ETIMEDOUT') {
    const hint = 'check the address, and whether a firewall is in between';
    return { ...unreachable, message: `it did not answer (${code})`, hint };
  }
  if (code.startsWith('HPE_')) {
    const hint = 'check the host and the port';
    return { ...unreachable, message: `its answer is not HTTP (${code})`, hint, isBroken: true };
  }
  const detail = code === '' ? (error instanceof Error ? error.message : String(error)) : code;
  return { ...unreachable, message: `the connection broke (${detail})`, isBroken: true };
}

/** Returns why none of the addresses of a host could be reached: often only one of IPv4 and IPv6 works at all. */
function reasonOfAll(errors: readonly unknown[], skip: string | undefined): Omit<Reason, 'code'> {
  const reasons = errors.map((error) => reasonOf(error, skip));
  const [first] = reasons;
  const isOne = reasons.every(({ message }) => message === first?.message);
  if (first !== undefined && isOne) return first;
  const tried = errors.map((error, index) => `${addressOf(error)}: ${reasons[index]?.message}`);
  const hint = 'check the port, the network of this machine and the addresses that its name server returns';
  return { message: `none of its addresses can be reached (${tried.join('; ')})`, hint, transient: true };
}

function addressOf(error: unknown): string {
  return error instanceof Error && 'address' in error ? String(error.address) : 'one';
}
