import { type HttpAnswer, readBody } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { retryTime } from '../lib/http/transient-status.ts';
import { type BearerChallenge, type Challenge, isSameChallenge, parseChallenge } from './auth/challenge.ts';
import { type Credential, type KnownLogin, passwordHeader } from './auth/credentials.ts';
import { LoginTrial } from './auth/login-trial.ts';
import { holderOf } from './auth/token-holder.ts';
import { parseErrorBody } from './error-body.ts';
import type { Host } from './oci/reference.ts';
import { refusal } from './refusal.ts';
import { LOGIN_REQUEST, type RegistryFailure } from './registry-failure.ts';
import type { TokenService, TokenServiceParts } from './token-service.ts';

const ERROR_BODY_LIMIT = 64 * 1024;

/**
 * One or two refused tokens may be for actions that the account may not do. Registries that lock accounts allow more
 * wrong passwords than this.
 */
const MOST_REFUSED_TOKENS = 3;

interface LoginParts extends TokenServiceParts {
  /** Undefined for anonymous access. */
  readonly known: KnownLogin | undefined;
  readonly tokens: TokenService;
  /** Called for each request to the registry itself. */
  readonly onRequest: (url: URL) => void;
}

/**
 * A login of ours at one host. A password is checked before its first use, and again after a refusal: registries lock an
 * account if a wrong one is repeated, and Harbor answers a wrong one with an anonymous token.
 */
export class Login {
  readonly trial = new LoginTrial();
  readonly #parts: LoginParts;
  #proof: Promise<void> | undefined;
  #isProved = false;
  #isForNobody: Promise<boolean> | undefined;
  readonly #refusedTokens = new Set<string>();

  constructor(parts: LoginParts) {
    this.#parts = parts;
  }

  get host(): Host {
    return this.#parts.host;
  }

  /** What we log in with; undefined for anonymous access. */
  get credential(): Credential | undefined {
    return this.#parts.known?.credential;
  }

  /** The file or the variable that it is from; undefined if it was given for this one host, or there is none. */
  get origin(): string | undefined {
    return this.#parts.known?.origin;
  }

  /**
   * Resolves once the password is proved, or if there is none. `scopes` are those of the request that it is for. Throws
   * `UNAUTHORIZED` if it was refused; each later call throws it again, without a request.
   */
  async prove(challenge: Challenge, scopes: readonly string[]): Promise<void> {
    if (this.credential?.kind !== 'password') return;
    this.#proof ??= this.#keepRefusal(this.#provePassword(challenge, scopes));
    await this.#proof;
  }

  /** Whether an answer has shown that the login is right. */
  get isProved(): boolean {
    return this.#isProved;
  }

  /** The proof that requests rely on now, to be given to `doubt` if one is refused. */
  get proof(): object | undefined {
    return this.#proof;
  }

  /**
   * Lets the password be proved again before its next use, because a request that relied on this proof was refused. A
   * later proof is kept: it is newer than requests that were under way.
   */
  doubt(proof: object | undefined): void {
    if (this.#proof === proof) this.#proof = undefined;
  }

  /**
   * Decides why a registry refuses a new token of ours: because the account may not do this, or because the
   * password is wrong and the token anonymous. It is wrong if several tokens were refused and none accepted, and a ping
   * with an anonymous token is answered too: then the ping has proved nothing. Sends no password. Throws `UNAUTHORIZED`
   * if it is wrong, and so does `prove` from then on.
   */
  async review(challenge: BearerChallenge, scopes: readonly string[], header: string): Promise<void> {
    if (this.credential?.kind !== 'password' || this.trial.isAccepted) return;
    this.#refusedTokens.add([...scopes, header].join('\n'));
    if (this.#refusedTokens.size < MOST_REFUSED_TOKENS) return;
    const asked = this.#isForNobody ?? this.#isAsGoodAsNone(challenge, scopes, header);
    this.#isForNobody = asked;
    const isForNobody = await asked.catch(() => {
      if (this.#isForNobody === asked) this.#isForNobody = undefined;
      return false;
    });
    if (!isForNobody) return;
    this.#isProved = false;
    const message = 'cannot log in, its token service answers a wrong login with an anonymous token';
    const failure = new HttpFailure({ code: 'UNAUTHORIZED', about: this.host, message, status: 401 });
    this.#proof = this.#keepRefusal(Promise.reject(this.#refused(failure)));
    await this.#proof;
  }

  /**
   * Verifies the login as `docker login` does: by a ping with the password, or with a token for these scopes. Nothing is
   * proved if the token service refuses the request for another reason. Throws `UNAUTHORIZED`.
   */
  async examine(first: Challenge, scopes: readonly string[]): Promise<void> {
    let challenge = first;
    for (let isLast = false; ; isLast = true) {
      const header = await this.#header(challenge, scopes);
      if (header === undefined) return;
      const answer = await this.#ping(header);
      const failure = await this.#refusalOf(answer);
      if (failure.transient) throw failure;
      if (answer.status !== 401) {
        this.#isProved = true;
        return;
      }
      const other = parseChallenge(answer.headers['www-authenticate']);
      if (isLast || other === undefined || isSameChallenge(other, challenge)) throw this.#refused(failure);
      challenge = other;
    }
  }

  /** Some token services issue no token without a scope, which shows nothing about the password. */
  async #provePassword(challenge: Challenge, [scope]: readonly string[]): Promise<void> {
    await this.examine(challenge, []);
    if (this.#isProved || scope === undefined) return;
    try {
      await this.examine(challenge, [scope]);
    } catch (error) {
      // The account may have no access to this repository, but to the next one.
      if (!(error instanceof HttpFailure) || error.status !== 403) throw error;
    }
  }

  #keepRefusal(proof: Promise<void>): Promise<void> {
    proof.catch((error: unknown) => {
      const isRefused = error instanceof HttpFailure && error.code === 'UNAUTHORIZED';
      if (!isRefused && this.#proof === proof) this.#proof = undefined;
    });
    return proof;
  }

  /** Returns whether a token of ours allows no more than an anonymous one. Throws if that cannot be found out now. */
  async #isAsGoodAsNone(
    challenge: BearerChallenge,
    scopes: readonly string[],
    header: string,
  ): Promise<boolean> {
    try {
      // GHCR gives no anonymous token for a private repository, which shows that ours belongs to an account.
      const none = (await this.#parts.tokens.fetch(challenge, scopes, undefined)).header;
      if (none === undefined) return false;
      const [ours, anybodys] = [holderOf(header), holderOf(none)];
      if (ours !== undefined && anybodys !== undefined && ours !== anybodys) return false;
      const answer = await this.#ping(none);
      const failure = await this.#refusalOf(answer);
      if (failure.transient) throw failure;
      return answer.status !== 401 && answer.status !== 403;
    } catch (error) {
      // Without a login there is no token.
      if (error instanceof HttpFailure && !error.transient && error.status !== undefined) return false;
      throw error;
    }
  }

  async #header(challenge: Challenge, scopes: readonly string[]): Promise<string | undefined> {
    const { credential } = this;
    if (credential === undefined) return undefined;
    if (challenge.scheme === 'bearer') return this.#token(challenge, scopes, credential);
    if (credential.kind === 'password') return passwordHeader(credential, this.#parts.onSecret);
    throw new HttpFailure({
      code: 'UNAUTHORIZED',
      about: this.#parts.host,
      message: 'it requires a user name and password, but there is only an identity token',
      hint: 'set a user name and password in KEEL_REGISTRY_LOGINS, in a workflow in registry-logins',
    });
  }

  async #token(
    challenge: BearerChallenge,
    scopes: readonly string[],
    credential: Credential,
  ): Promise<string | undefined> {
    try {
      return (await this.#parts.tokens.fetch(challenge, scopes, credential)).header;
    } catch (error) {
      if (!(error instanceof HttpFailure) || error.transient || error.status === undefined) throw error;
      // GHCR answers 403 to a wrong password, and others 400. Other refusals are about the request, and prove nothing.
      const isAboutLogin = error.status === 401 || error.status === 403;
      if (isAboutLogin || (error.status === 400 && scopes.length > 0)) throw this.#refused(error);
      return undefined;
    }
  }

  async #ping(authorization: string): Promise<HttpAnswer> {
    const { endpoint, http, onRequest, signal } = this.#parts;
    const url = new URL('/v2/', endpoint.url);
    onRequest(url);
    const headers = { 'user-agent': 'keel-pkg', authorization };
    try {
      return await http.send({ method: 'GET', url, headers, signal });
    } catch (error) {
      throw error instanceof HttpFailure ? error.with({ request: LOGIN_REQUEST }) : error;
    }
  }

  async #refusalOf(answer: HttpAnswer): Promise<RegistryFailure> {
    const body = (await readBody(answer, ERROR_BODY_LIMIT))?.toString('utf8') ?? '';
    return refusal({
      about: this.#parts.host,
      action: 'log in',
      status: answer.status,
      request: LOGIN_REQUEST,
      errorBody: parseErrorBody(body, this.#parts.redact),
      retryAt: retryTime(answer, Date.now()),
    });
  }

  #refused({ about, message, status, cause }: HttpFailure): RegistryFailure {
    const from = this.origin === undefined ? '' : ` in ${this.origin}`;
    const hint = `check the user name and password for this registry${from}; the same login is not tried again in this run`;
    const request = LOGIN_REQUEST;
    return new HttpFailure({ code: 'UNAUTHORIZED', about, message, hint, status, cause, request });
  }
}
