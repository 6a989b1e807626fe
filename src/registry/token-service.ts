import { type HttpAnswer, type HttpClient, readBody } from '../lib/http/http.ts';
import { HttpFailure, isConnectionFailure } from '../lib/http/http-failure.ts';
import { isLoopback } from '../lib/http/loopback.ts';
import { withParameter } from '../lib/http/received-url.ts';
import { followAddress } from '../lib/http/redirect.ts';
import { retryTime } from '../lib/http/transient-status.ts';
import type { SecretListener } from '../lib/secret-forms.ts';
import type { BearerChallenge } from './auth/challenge.ts';
import { type Credential, passwordHeader } from './auth/credentials.ts';
import { parseToken, type Token } from './auth/token.ts';
import type { Endpoint } from './endpoint.ts';
import { parseErrorBody } from './error-body.ts';
import type { Host } from './oci/reference.ts';
import { refusal } from './refusal.ts';
import { isNotFound, type RegistryFailure } from './registry-failure.ts';

const TOKEN_BODY_LIMIT = 1024 * 1024;

/** What is needed to log in at one host. */
export interface TokenServiceParts {
  readonly host: Host;
  readonly endpoint: Endpoint;
  readonly http: HttpClient;
  /** Called with each secret before its first use. */
  readonly onSecret: SecretListener;
  /** Removes secrets from a text. */
  readonly redact: (text: string) => string;
  /** The signal of the run, because tokens are shared by many requests. */
  readonly signal: AbortSignal;
}

/** Gets the tokens for one registry, each from the token service that a challenge names. */
export class TokenService {
  readonly #parts: TokenServiceParts;

  constructor(parts: TokenServiceParts) {
    this.#parts = parts;
  }

  /**
   * Returns a token for these scopes, the most important first; without a credential, an anonymous one. Throws the
   * refusal of the token service, and `REDIRECT_REFUSED` if the login may not be sent there.
   */
  async fetch(
    challenge: BearerChallenge,
    scopes: readonly string[],
    credential: Credential | undefined,
  ): Promise<Token> {
    const realm = this.#resolveRealm(challenge.realm);
    try {
      const answer = await this.#ask(realm, scopes, challenge.service, credential);
      const body = (await readBody(answer, TOKEN_BODY_LIMIT))?.toString('utf8') ?? '';
      // registry.k8s.io sends a challenge, but its tokens are optional and the endpoint may be missing.
      if (answer.status === 404 && credential === undefined) {
        return { header: undefined, staleAt: Number.POSITIVE_INFINITY };
      }
      if (answer.status !== 200) throw this.#refusalOf(answer, body, credential);
      return this.#read(body);
    } catch (error) {
      // The token has attempts of its own, and costs the request that needs it none.
      throw error instanceof HttpFailure ? this.#named(error, realm).with({ request: 'token' }) : error;
    }
  }

  /**
   * Returns the URL of the token service. It may be at another host (auth.docker.io), but only over HTTPS. Throws
   * `REDIRECT_REFUSED`.
   */
  #resolveRealm(realm: string): URL {
    const { host } = this.#parts;
    const endpoint = this.#parts.endpoint.url;
    const url = followAddress(endpoint, realm, endpoint);
    const isPlain = url.protocol === 'http:' && !isLoopback(url.hostname) && url.host !== endpoint.host;
    if (isPlain) {
      throw new HttpFailure({
        code: 'REDIRECT_REFUSED',
        about: host,
        message: `it asks for the login to be sent to ${url.host} over plain HTTP`,
      });
    }
    return url;
  }

  /** Returns the failure to reach a token service; at another host, with the registry that named it. */
  #named(error: HttpFailure, realm: URL): HttpFailure {
    if (!isConnectionFailure(error) || realm.host === this.#parts.endpoint.url.host) return error;
    return error.with({ message: `${error.message}; it is the token service of ${this.#parts.host}` });
  }

  #ask(
    realm: URL,
    scopes: readonly string[],
    service: string | undefined,
    credential: Credential | undefined,
  ): Promise<HttpAnswer> {
    const { http, onSecret, signal } = this.#parts;
    if (credential?.kind === 'identity-token') {
      onSecret(credential.token, 'token');
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: credential.token,
        client_id: 'keel-pkg',
        scope: scopes.join(' '),
      });
      if (service !== undefined) form.set('service', service);
      const body = Buffer.from(form.toString());
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(body.length),
      };
      return http.send({ method: 'POST', url: realm, headers, body, signal });
    }
    const query = new URLSearchParams(service === undefined ? {} : { service });
    // One parameter for each scope: some registries ignore what follows a space.
    for (const scope of scopes) query.append('scope', scope);
    const url = query.size === 0 ? realm : withParameter(realm, query.toString());
    const headers: Record<string, string> = {};
    if (credential !== undefined) headers['authorization'] = passwordHeader(credential, onSecret);
    return http.send({ method: 'GET', url, headers, signal });
  }

  #read(body: string): Token {
    const parsed = parseToken(body);
    if (parsed instanceof Error) {
      const message = 'its token service answered without a token';
      const about = this.#parts.host;
      throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, transient: true, cause: parsed });
    }
    this.#parts.onSecret(parsed.token, 'token');
    return { header: `Bearer ${parsed.token}`, staleAt: Date.now() + parsed.seconds * 900 };
  }

  #refusalOf(answer: HttpAnswer, body: string, credential: Credential | undefined): RegistryFailure {
    const failure = refusal({
      about: this.#parts.host,
      action: credential === undefined ? 'get an anonymous token' : 'log in',
      status: answer.status,
      errorBody: parseErrorBody(body, this.#parts.redact),
      retryAt: retryTime(answer, Date.now()),
    });
    if (!isNotFound(failure)) return failure;
    // A missing token service shows nothing about the content that the token was for.
    const { about, message, hint, status } = failure;
    return new HttpFailure({ code: 'REGISTRY_REFUSED', about, message, hint, status });
  }
}
