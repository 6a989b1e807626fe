import { failureCode } from '../lib/failure.ts';
import {
  type BodyWriter,
  discardBody,
  type HttpAnswer,
  type HttpClient,
  readBody,
} from '../lib/http/http.ts';
import { HttpFailure, isConnectionFailure } from '../lib/http/http-failure.ts';
import { followAddress, followRedirects, isLossyRedirect } from '../lib/http/redirect.ts';
import type { Awaited } from '../lib/http/request-clock.ts';
import { retryTime } from '../lib/http/transient-status.ts';
import type { Scope } from './auth/scope.ts';
import type { Authorization } from './authorization.ts';
import { type Endpoint, withoutSignatures } from './endpoint.ts';
import { hasErrorList, parseErrorBody } from './error-body.ts';
import { Likeness } from './likeness.ts';
import { strangerRefusal } from './missing-login.ts';
import { isSigned } from './ping-answer.ts';
import { type RefusedAnswer, refusal, saysWhy, type Written } from './refusal.ts';
import type { RegistryFailure } from './registry-failure.ts';

/** A request to a registry, with what is needed to answer a challenge and to explain a refusal. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly scopes: readonly Scope[];
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | BodyWriter | undefined;
  /** The statuses that the caller handles. Any other is a failure. */
  readonly expected: readonly number[];
  /** The image, repository or host of the request. */
  readonly about: string;
  /** What the request does, for the message `cannot …`. */
  readonly action: string;
  /** What the request writes, if anything. A refusal has another meaning then. */
  readonly writes?: Written | undefined;
  /** How long the answer may take to begin. */
  readonly awaited?: Awaited | undefined;
  /** Returns whether an answer with these headers contains the requested content itself, although it calls it encoded. */
  readonly isOwnCoding?: ((headers: HttpAnswer['headers']) => boolean) | undefined;
  readonly signal: AbortSignal;
}

const ERROR_BODY_LIMIT = 64 * 1024;
/** For a Basic challenge after a token, then another token service, then a scope that it names. */
const MOST_REPEATS = 3;
/** The most characters of a path that a message shows. */
const LONGEST_SHOWN_PATH = 200;

/**
 * Sends requests to one registry: it adds credentials for its own host only, follows redirects and answers challenges.
 */
export class Transport {
  readonly #http: HttpClient;
  readonly #registry: Endpoint;
  readonly #authorization: Authorization;
  readonly #onRequest: (url: URL) => void;
  /** Whether the host is a registry, according to all its answers so far. */
  readonly likeness = new Likeness();

  constructor(parts: {
    readonly http: HttpClient;
    readonly endpoint: Endpoint;
    readonly authorization: Authorization;
    readonly onRequest: (url: URL) => void;
  }) {
    this.#http = parts.http;
    this.#registry = parts.endpoint;
    this.#authorization = parts.authorization;
    this.#onRequest = parts.onRequest;
  }

  /**
   * Sends a request and returns an answer with one of the expected statuses. After a 401 it sends the request again with
   * the credential that was asked for, a streamed body from its first byte. Throws `HttpFailure`, the error of the body's
   * writer, or the signal's reason.
   */
  async send(exchange: Exchange): Promise<HttpAnswer> {
    try {
      return await this.#sendUntilLetIn(exchange);
    } finally {
      this.#authorization.release(exchange.scopes);
    }
  }

  async #sendUntilLetIn(exchange: Exchange): Promise<HttpAnswer> {
    let isRenewed = false;
    for (let repeats = 0; ; repeats += 1) {
      const sent = await this.#credentialFor(exchange.url, exchange.scopes);
      const answer = await this.#follow(exchange, sent);
      if (isSigned(answer)) this.likeness.prove();
      if (isLetIn(answer)) this.#authorization.admit(exchange.scopes);
      if (exchange.expected.includes(answer.status)) return answer;
      const failure = await this.#explain(exchange, answer);
      if (answer.status === 403) await this.#authorization.review(answer, exchange.scopes, sent);
      if (answer.status !== 401 || repeats === MOST_REPEATS) throw failure;
      const lesson = await this.#authorization.learn(answer, exchange.scopes, sent);
      if (lesson === undefined || (lesson === 'renewed' && isRenewed)) throw failure;
      isRenewed ||= lesson === 'renewed';
    }
  }

  /** Returns which login the registry asks for, and what we know of ours for a request with these scopes. */
  situation(scopes: readonly Scope[]): ReturnType<Authorization['situation']> {
    return this.#authorization.situation(scopes);
  }

  /** Returns the failure of a request that needs a login and has none. */
  missingLogin(hint?: string): Promise<RegistryFailure> {
    return this.#authorization.missingLogin(hint);
  }

  /** Verifies the login. An identity token is verified for these scopes. Throws `UNAUTHORIZED`. */
  prove(scopes: readonly Scope[]): Promise<void> {
    return this.#authorization.prove(scopes);
  }

  /** Notes the challenge of an answer with status 401 to a ping. */
  note(answer: HttpAnswer): void {
    this.#authorization.note(answer);
  }

  get #endpoint(): URL {
    return this.#registry.url;
  }

  async #credentialFor(url: URL, scopes: readonly Scope[]): Promise<string | undefined> {
    return url.origin === this.#endpoint.origin ? this.#authorization.header(scopes) : undefined;
  }

  async #follow(exchange: Exchange, credential: string | undefined): Promise<HttpAnswer> {
    const { method, body, awaited, isOwnCoding, signal } = exchange;
    let carried = credential;
    const send = async (url: URL): Promise<HttpAnswer> => {
      const headers: Record<string, string> = { 'user-agent': 'keel-pkg', ...exchange.headers };
      if (carried !== undefined) headers['authorization'] = carried;
      if (body instanceof Uint8Array) headers['content-length'] = String(body.length);
      try {
        const answer = await this.#http.send({ method, url, headers, awaited, isOwnCoding, signal, body });
        this.#onRequest(url);
        return answer;
      } catch (error) {
        // A handshake that failed is no request.
        if (failureCode(error) !== 'TLS_REFUSED') this.#onRequest(url);
        throw url.host === this.#endpoint.host ? error : redirectedTo(error, this.#endpoint.host);
      }
    };
    const answer = await followRedirects(exchange, send, (from, location) => {
      const next = followAddress(from, location, this.#endpoint);
      // After a redirect to another host the credential is not sent any more, not even on the way back.
      if (next.origin !== this.#endpoint.origin) carried = undefined;
      return next;
    });
    if (answer !== undefined) return answer;
    throw new HttpFailure({
      code: 'REGISTRY_BROKEN',
      about: exchange.about,
      message: `cannot ${exchange.action}, the registry redirects without end`,
    });
  }

  async #explain(exchange: Exchange, answer: HttpAnswer): Promise<RegistryFailure> {
    const body = exchange.method === 'HEAD' ? undefined : await readBody(answer, ERROR_BODY_LIMIT);
    if (exchange.method === 'HEAD') discardBody(answer);
    if (isLossyRedirect(exchange.method, answer)) return lossyRedirect(exchange, answer);
    const text = body?.toString('utf8') ?? '';
    if (hasErrorList(text)) this.likeness.prove();
    const refused: RefusedAnswer = {
      about: exchange.about,
      action: exchange.action,
      writes: exchange.writes,
      status: answer.status,
      request: answer.url.host,
      errorBody: parseErrorBody(text, (part) =>
        withoutSignatures(this.#authorization.redact(part), answer.url),
      ),
      retryAt: retryTime(answer, Date.now()),
    };
    const failure = refusal(refused);
    if (answer.url.origin !== this.#endpoint.origin) {
      return strangerRefusal(failure, {
        asked: exchange.url,
        isUpload: exchange.writes === 'layer',
        registry: this.#endpoint,
        stranger: answer.url,
      });
    }
    // A quota that is used up has nothing to do with the login.
    const isSettled = exchange.writes !== undefined && saysWhy(refused);
    return isSettled ? failure : this.#authorization.advise(failure, exchange.scopes);
  }
}

/** Returns the failure to reach a host that the user did not name, with the host that redirected to it. */
function redirectedTo(error: unknown, host: string): unknown {
  return isConnectionFailure(error)
    ? error.with({ message: `${error.message}; ${host} redirects to it` })
    : error;
}

/** Returns whether an answer shows that the login may send such a request. */
function isLetIn({ status }: HttpAnswer): boolean {
  return status < 500 && ![401, 403, 429].includes(status);
}

function lossyRedirect({ about, action }: Exchange, { status, headers, url }: HttpAnswer): RegistryFailure {
  const target = URL.parse(headers.location ?? '', url.href);
  const isSame = target?.origin === url.origin;
  const there = isSame ? `${shownPath(target)} at the same host` : (target?.host ?? 'nowhere');
  return new HttpFailure({
    code: 'REGISTRY_REFUSED',
    about,
    message: `cannot ${action}, the registry answered ${status} and redirects to ${there}, where the content would not arrive`,
    hint: isSame
      ? 'configure the registry, or the proxy in front of it, to redirect writes with 307 or 308, or not at all'
      : 'use the address that the registry redirects to, or configure it to redirect writes with 307 or 308',
    status,
  });
}

/** The query is left out, because it may contain a signature. */
function shownPath({ pathname }: URL): string {
  return pathname.length > LONGEST_SHOWN_PATH ? 'another path' : pathname;
}
