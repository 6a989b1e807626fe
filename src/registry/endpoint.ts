import { HttpFailure, isConnectionFailure } from '../lib/http/http-failure.ts';
import { isLoopback } from '../lib/http/loopback.ts';
import { proxyFor } from '../lib/http/proxy.ts';
import { isAnsweredWithoutTls, isCut } from '../lib/http/tls-error.ts';
import { apiHost, type Host } from './oci/reference.ts';
import { Redactor } from './redactor.ts';

/** The status with which servers answer plain HTTP at a port for TLS. */
const BAD_REQUEST = 400;

/**
 * The base URL of a registry's API. It is HTTPS. For this machine and for hosts that the user named as insecure the
 * first contact finds out whether it is plain HTTP instead.
 */
export class Endpoint {
  readonly #secure: URL;
  /** Undefined if only HTTPS may be used, so that an attacker on the way cannot force plain HTTP. */
  readonly #plain: URL | undefined;
  #settled: URL | undefined;

  constructor(host: Host, insecure: readonly Host[]) {
    this.#secure = secureUrl(host);
    const isNamed = insecure.some((named) => secureUrl(named).host === this.#secure.host);
    if (isNamed || isLoopback(this.#secure.hostname)) this.#plain = new URL(`http://${apiHost(host)}/`);
    else this.#settled = this.#secure;
  }

  /** The base URL, as far as known. */
  get url(): URL {
    return this.#settled ?? this.#secure;
  }

  /** Returns the URL of a path there. Throws a `TypeError` while the base URL is not settled. */
  at(path: string): URL {
    if (this.#settled === undefined) throw new TypeError(`${this.#secure.host} was asked before a ping`);
    return new URL(path, this.#settled);
  }

  /**
   * Calls `ask` with the base URL, and settles that URL by the result. Returns the answer. Throws what `ask` throws; of
   * two failures, the more informative one.
   */
  async settle<Answer>(ask: (base: URL) => Promise<Answer>): Promise<Answer> {
    if (this.#settled !== undefined) return ask(this.#settled);
    try {
      const answer = await ask(this.#secure);
      this.#settled = this.#secure;
      return answer;
    } catch (error) {
      if (isRefused(error)) this.#settled = this.#secure;
      if (this.#plain === undefined || !this.#mayBeWithoutTls(error, this.#plain)) throw error;
      return this.#settlePlain(this.#plain, error, ask);
    }
  }

  async #settlePlain<Answer>(
    plain: URL,
    withTls: unknown,
    ask: (base: URL) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      const answer = await ask(plain);
      this.#settled = plain;
      return answer;
    } catch (error) {
      // A server whose TLS failed for a moment must not be taken for one without.
      const mayBeTls = isCut(causeOf(withTls));
      const isHttp = isRefused(error) && !(mayBeTls && error.status === BAD_REQUEST);
      if (isHttp) this.#settled = plain;
      throw mayBeTls && !isHttp ? withTls : error;
    }
  }

  #mayBeWithoutTls(error: unknown, plain: URL): boolean {
    if (!isConnectionFailure(error)) return false;
    const cause = causeOf(error);
    if (isAnsweredWithoutTls(cause) || isCut(cause)) return true;
    // Without TLS the request goes to another port, or through another proxy.
    const isElsewhere = this.#secure.port === '' || proxyFor(this.#secure)?.href !== proxyFor(plain)?.href;
    return isElsewhere && error.code !== 'TLS_REFUSED';
  }
}

function secureUrl(host: Host): URL {
  return new URL(`https://${apiHost(host)}/`);
}

/** Returns whether an error is an answer with a status, so that the scheme was right. */
function isRefused(error: unknown): error is HttpFailure {
  return error instanceof HttpFailure && error.status !== undefined;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

const SHOWN_PARAMETERS: ReadonlySet<string> = new Set([
  'n',
  'last',
  'mount',
  'from',
  'digest',
  'service',
  'scope',
]);

/** Returns a URL to show to people, without credentials and without query values that can be signatures. */
export function redactUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  shown.hash = '';
  for (const name of new Set(shown.searchParams.keys())) {
    if (!SHOWN_PARAMETERS.has(name)) shown.searchParams.set(name, '…');
  }
  return shown.href.replaceAll('%E2%80%A6', '…');
}

/**
 * Returns a text of a server without the signatures of the URL that was asked, because some servers repeat it in an error.
 */
export function withoutSignatures(text: string, url: URL): string {
  const values = [...url.searchParams]
    .filter(([name]) => !SHOWN_PARAMETERS.has(name))
    .map(([, value]) => value);
  const redactor = new Redactor();
  for (const value of values) redactor.add(value, 'password');
  return redactor.redact(text);
}
