import { ConcurrencyLimiter } from '../lib/concurrency-limiter.ts';
import { type HttpAnswer, type HttpClient, readBody } from '../lib/http/http.ts';
import { HttpFailure, isAnswerFailure } from '../lib/http/http-failure.ts';
import { isLoopback } from '../lib/http/loopback.ts';
import { followAddress } from '../lib/http/redirect.ts';
import { parseRetryAfter } from '../lib/http/transient-status.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import { basicAuthorization, type Credential, type CredentialLookup } from './credentials.ts';
import { parseErrorBody } from './error-body.ts';
import type { Host, Repository } from './oci/reference.ts';
import { Redactor } from './redactor.ts';
import { refusal } from './refusal.ts';
import type { RegistryFailure } from './registry-failure.ts';
import { parseToken, type Token } from './token.ts';

/** What a token allows, such as `repository:library/nginx:pull` (distribution-spec token scopes). */
export type Scope = `repository:${Repository}:${'pull' | 'pull,push' | 'delete'}` | 'registry:catalog:*';

/** Returns the scope for reading a repository. */
export function pullScope(repository: Repository): Scope {
  return `repository:${repository}:pull`;
}

/** Returns the scope for writing to a repository. */
export function pushScope(repository: Repository): Scope {
  return `repository:${repository}:pull,push`;
}

/** Returns the scope for deleting from a repository. Few accounts have it. */
export function deleteScope(repository: Repository): Scope {
  return `repository:${repository}:delete`;
}

const TOKEN_BODY_LIMIT = 1024 * 1024;

/** The login at one host: its challenge, our credential, and one token for each set of scopes. */
export class Authorization {
  readonly #host: Host;
  readonly #endpoint: URL;
  readonly #http: HttpClient;
  readonly #limiter: ConcurrencyLimiter;
  readonly #lookup: CredentialLookup;
  readonly #onSecret: (secret: string) => void;
  readonly #signal: AbortSignal;
  readonly #tokens = new Map<string, Promise<Token>>();
  readonly #redactor = new Redactor();
  #challenge: Challenge | undefined;
  // Docker Hub locks an account for minutes if a wrong password is repeated.
  #loginRefused: RegistryFailure | undefined;

  constructor(parts: {
    readonly host: Host;
    readonly endpoint: URL;
    readonly http: HttpClient;
    readonly limiter: ConcurrencyLimiter;
    readonly lookup: CredentialLookup;
    /** Called with each secret before its first use, so that it can be masked. */
    readonly onSecret: (secret: string) => void;
    /** The signal of the run, because tokens are shared by many requests. */
    readonly signal: AbortSignal;
  }) {
    this.#host = parts.host;
    this.#endpoint = parts.endpoint;
    this.#http = parts.http;
    this.#limiter = parts.limiter;
    this.#lookup = parts.lookup;
    this.#onSecret = (secret) => {
      this.#redactor.add(secret);
      parts.onSecret(secret);
    };
    this.#signal = parts.signal;
  }

  /** Returns a text of this host without the secrets that were sent to it. */
  readonly redact = (text: string): string => this.#redactor.redact(text);

  /**
   * Returns the `Authorization` header for a request with these scopes, the most important first; undefined if it needs
   * none.
   */
  async header(scopes: readonly Scope[]): Promise<string | undefined> {
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === 'basic') return this.#basicHeader();
    const key = scopes.join(' ');
    const known = await this.#tokens.get(key);
    if (known !== undefined && known.staleAt > Date.now()) return known.header;
    return (await this.#renew(key, scopes, this.#challenge, known)).header;
  }

  /** Returns how this host wants us to log in, as far as that is known, and the user name that we have for it. */
  async situation(): Promise<{
    readonly scheme: Challenge['scheme'] | 'none';
    readonly username: string | undefined;
  }> {
    const credential = await this.#lookup(this.#host);
    const username = credential?.kind === 'password' ? credential.username : credential && 'identity token';
    return { scheme: this.#challenge?.scheme ?? 'none', username };
  }

  /**
   * Learns from an answer with 401 to a request with the credential `sent`. Returns whether the request is worth
   * sending again: because there is a credential to send now, or because an expired token was dropped. A host that a
   * redirect led to does not get this host's login.
   */
  async learn(answer: HttpAnswer, scopes: readonly Scope[], sent: string | undefined): Promise<boolean> {
    if (answer.url.origin !== this.#endpoint.origin) return false;
    const challenge = parseChallenge(answer.headers['www-authenticate']) ?? this.#challenge;
    const isNew = this.#challenge === undefined && challenge !== undefined;
    this.#challenge = challenge;
    if (challenge === undefined) return false;
    if (sent === undefined) return isNew || (await this.header(scopes)) !== undefined;
    if (!sent.startsWith('Bearer ')) return false;
    const key = scopes.join(' ');
    const held = await this.#tokens.get(key)?.catch(() => undefined);
    if (held?.header === sent) this.#tokens.delete(key);
    return true;
  }

  async #basicHeader(): Promise<string | undefined> {
    const credential = await this.#lookup(this.#host);
    return credential?.kind === 'password' ? this.#basicOf(credential) : undefined;
  }

  #basicOf({ username, password }: Credential & { kind: 'password' }): string {
    const header = basicAuthorization(username, password);
    for (const secret of [password, `${username}:${password}`]) this.#onSecret(secret);
    this.#onSecret(header.slice('Basic '.length));
    return header;
  }

  async #renew(
    key: string,
    scopes: readonly Scope[],
    challenge: Challenge & { scheme: 'bearer' },
    stale: Token | undefined,
  ): Promise<Token> {
    const current = this.#tokens.get(key);
    // Another request may have renewed it meanwhile.
    if (current !== undefined && (await current) !== stale) return current;
    const fetched = this.#fetchToken(scopes, challenge);
    this.#tokens.set(key, fetched);
    // A refusal is kept, as it would be the same again; a transient failure is not.
    fetched.catch((error: unknown) => {
      const isRefusal = isAnswerFailure(error) && !error.transient;
      if (!isRefusal && this.#tokens.get(key) === fetched) this.#tokens.delete(key);
    });
    return fetched;
  }

  async #fetchToken(scopes: readonly Scope[], challenge: Challenge & { scheme: 'bearer' }): Promise<Token> {
    if (this.#loginRefused !== undefined) throw this.#loginRefused;
    const credential = await this.#lookup(this.#host);
    const realm = this.#resolveRealm(challenge.realm);
    const giveBack = await ConcurrencyLimiter.take([this.#limiter], this.#signal);
    try {
      const answer = await this.#ask(realm, scopes, challenge.service, credential);
      const body = (await readBody(answer, TOKEN_BODY_LIMIT))?.toString('utf8') ?? '';
      // registry.k8s.io sends a challenge, but its tokens are optional and the endpoint may be missing.
      if (answer.status === 404 && credential === undefined) {
        return { header: undefined, staleAt: Number.POSITIVE_INFINITY };
      }
      if (answer.status !== 200) throw this.#tokenRefusal(answer, body, credential);
      return this.#readToken(body);
    } finally {
      giveBack();
    }
  }

  /**
   * Returns the URL of the token service. It may be at another host (auth.docker.io), but only over HTTPS. Throws
   * `REDIRECT_REFUSED`.
   */
  #resolveRealm(realm: string): URL {
    const url = followAddress(this.#endpoint, realm, this.#endpoint);
    const isPlain = url.protocol === 'http:' && !isLoopback(url.hostname) && url.host !== this.#endpoint.host;
    if (isPlain) {
      throw new HttpFailure({
        code: 'REDIRECT_REFUSED',
        about: this.#host,
        message: `it wants the login sent to ${url.host} over plain HTTP`,
      });
    }
    return url;
  }

  #ask(
    realm: URL,
    scopes: readonly Scope[],
    service: string | undefined,
    credential: Credential | undefined,
  ): Promise<HttpAnswer> {
    if (credential?.kind === 'identity-token') {
      this.#onSecret(credential.token);
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
      return this.#http.send({ method: 'POST', url: realm, headers, body, signal: this.#signal });
    }
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    // One parameter for each scope: some registries ignore what follows a space.
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const headers: Record<string, string> = {};
    if (credential !== undefined) {
      headers['authorization'] = this.#basicOf(credential);
    }
    return this.#http.send({ method: 'GET', url, headers, signal: this.#signal });
  }

  #readToken(body: string): Token {
    const parsed = parseToken(body);
    if (parsed instanceof Error) throw this.#noToken(parsed);
    this.#onSecret(parsed.token);
    return { header: `Bearer ${parsed.token}`, staleAt: Date.now() + parsed.seconds * 900 };
  }

  #noToken(cause: unknown): RegistryFailure {
    const message = 'its token service answered without a token';
    return new HttpFailure({
      code: 'REGISTRY_BROKEN',
      about: this.#host,
      message,
      transient: true,
      cause,
    });
  }

  #tokenRefusal(answer: HttpAnswer, body: string, credential: Credential | undefined): RegistryFailure {
    const failure = refusal({
      about: this.#host,
      action: credential === undefined ? 'get an anonymous token' : 'log in',
      status: answer.status,
      errorBody: parseErrorBody(body, this.redact),
      retryAt: parseRetryAfter(answer.headers['retry-after'], Date.now()),
    });
    if (answer.status === 401 && credential !== undefined) this.#loginRefused = failure;
    return failure;
  }
}
