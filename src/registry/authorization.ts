import { ConcurrencyLimiter } from '../lib/concurrency-limiter.ts';
import type { HttpAnswer } from '../lib/http/http.ts';
import { type HttpFailure, isAnswerFailure } from '../lib/http/http-failure.ts';
import type { SecretListener } from '../lib/secret-forms.ts';
import { type BearerChallenge, type Challenge, parseChallenge } from './auth/challenge.ts';
import { type CredentialLookup, type KnownLogin, loginFor, passwordHeader } from './auth/credentials.ts';
import { repositoryOf, type Scope, scopesBeyond } from './auth/scope.ts';
import type { Token } from './auth/token.ts';
import type { Endpoint } from './endpoint.ts';
import { Login } from './login.ts';
import { anonymousRefusal, type LoginAbsence, missingLogin } from './missing-login.ts';
import type { Host } from './oci/reference.ts';
import { Redactor } from './redactor.ts';
import type { RegistryFailure } from './registry-failure.ts';
import { TokenService, type TokenServiceParts } from './token-service.ts';

/**
 * What a 401 means for the next attempt: `asked`, the registry asks for another login than the one that was sent;
 * `renewed`, the token that was sent is not used again.
 */
type Lesson = 'asked' | 'renewed';

/** A new token may be refused once: a registry behind the name may not know the key yet that signed it. */
const MOST_TOKENS_IN_TURN = 2;

/** How we log in at one host: what it asks for, and one token for each set of scopes. */
export class Authorization {
  readonly #endpoint: Endpoint;
  readonly #tokenService: TokenService;
  readonly #openLogin: (known: KnownLogin | undefined) => Login;
  readonly #host: Host;
  readonly #absentFile: string | undefined;
  readonly #lookup: () => Promise<readonly KnownLogin[]>;
  #known: Promise<readonly KnownLogin[]> | undefined;
  /** A host can have several, each for the repositories below a path. */
  readonly #logins = new Map<KnownLogin | undefined, Login>();
  readonly #limiter: ConcurrencyLimiter;
  readonly #signal: AbortSignal;
  readonly #onSecret: SecretListener;
  readonly #redactor = new Redactor();
  readonly #alsoRedact: (text: string) => string;
  /** What the host asked for first. It is a guess for requests that were not answered yet. */
  #challenge: Challenge | undefined;
  /** What the last 401 asked for, by the scopes of its request: one host can have several token services. */
  readonly #asked = new Map<string, Challenge>();
  readonly #tokens = new Map<string, Promise<Token>>();
  /** Scopes that a token service refused in addition to a first one. */
  readonly #refusedScopes = new Set<string>();
  /** The tokens for each set of scopes that were refused since one was accepted. */
  readonly #refusedTokens = new Map<string, Set<string>>();
  /** The logins of the sets of scopes whose token was not accepted yet. */
  readonly #untried = new Map<string, Login>();

  constructor(
    parts: Omit<TokenServiceParts, 'redact'> & {
      readonly limiter: ConcurrencyLimiter;
      readonly lookup: CredentialLookup;
      /** The file that `REGISTRY_AUTH_FILE` names, if it does not exist. */
      readonly absentFile?: string | undefined;
      /** Called for each request to the registry itself. */
      readonly onRequest: (url: URL) => void;
      /** Removes secrets of other connections. */
      readonly alsoRedact?: ((text: string) => string) | undefined;
    },
  ) {
    this.#endpoint = parts.endpoint;
    this.#host = parts.host;
    this.#absentFile = parts.absentFile;
    this.#alsoRedact = parts.alsoRedact ?? ((text) => text);
    this.#limiter = parts.limiter;
    this.#signal = parts.signal;
    this.#onSecret = (secret, kind) => {
      this.#redactor.add(secret, kind);
      parts.onSecret(secret, kind);
    };
    const shared = { ...parts, onSecret: this.#onSecret, redact: this.redact };
    this.#tokenService = new TokenService(shared);
    this.#lookup = () => parts.lookup(parts.host);
    this.#openLogin = (known) => new Login({ ...shared, known, tokens: this.#tokenService });
  }

  /** Returns a text of this host without the secrets that were sent to it. */
  readonly redact = (text: string): string => this.#alsoRedact(this.#redactor.redact(text));

  /**
   * Returns the `Authorization` header for a request with these scopes; undefined if it needs none. Only the first
   * scope is needed: if the token service refuses the others, the token is without them.
   */
  async header(scopes: readonly Scope[]): Promise<string | undefined> {
    const challenge = this.#challengeFor(scopes);
    if (challenge === undefined) return undefined;
    const login = await this.#loginFor(scopes);
    await login.prove(challenge, scopes);
    if (challenge.scheme === 'bearer') return (await this.#token(challenge, scopes, scopes)).header;
    const { credential } = login;
    return credential?.kind === 'password' ? passwordHeader(credential, this.#onSecret) : undefined;
  }

  /**
   * Returns which kind of login this host requires, as far as known, with our user name for these scopes and the origin
   * of that login.
   */
  async situation(scopes: readonly Scope[]): Promise<{
    readonly scheme: Challenge['scheme'] | 'none';
    readonly username: string | undefined;
    readonly origin: string | undefined;
    readonly isProved: boolean;
  }> {
    const { credential, origin, isProved } = await this.#loginFor(scopes);
    const username = credential?.kind === 'password' ? credential.username : credential && 'identity token';
    return { scheme: this.#challenge?.scheme ?? 'none', username, origin, isProved };
  }

  /** Verifies the login. An identity token is verified for these scopes. Throws `UNAUTHORIZED`. */
  async prove(scopes: readonly Scope[]): Promise<void> {
    const login = await this.#loginFor(scopes);
    if (this.#challenge === undefined) return;
    if (login.credential?.kind === 'password') await login.prove(this.#challenge, scopes);
    else await login.examine(this.#challenge, scopes);
  }

  /** Returns a refusal of this host with advice: if there is no login, how to log in. */
  async advise(failure: RegistryFailure, scopes: readonly Scope[]): Promise<RegistryFailure> {
    const { credential } = await this.#loginFor(scopes);
    return credential === undefined ? anonymousRefusal(failure, await this.#absence()) : failure;
  }

  /** Returns the failure of a request that needs a login and has none. */
  async missingLogin(hint?: string): Promise<RegistryFailure> {
    return missingLogin(await this.#absence(), hint);
  }

  /** Notes how the host asks for a login in general, from an answer with 401 to its ping. */
  note(answer: HttpAnswer): void {
    if (answer.url.origin === this.#endpoint.url.origin) {
      this.#challenge ??= parseChallenge(answer.headers['www-authenticate']);
    }
  }

  /**
   * Learns from an answer with 401 to a request with the credential `sent`. Returns undefined if the request is not
   * worth sending again. A host that a redirect led to does not get this host's login.
   */
  async learn(
    answer: HttpAnswer,
    scopes: readonly Scope[],
    sent: string | undefined,
  ): Promise<Lesson | undefined> {
    if (answer.url.origin !== this.#endpoint.url.origin) return undefined;
    this.note(answer);
    const said = parseChallenge(answer.headers['www-authenticate']);
    const login = await this.#loginFor(scopes);
    if (said !== undefined && canAnswer(said, login)) this.#asked.set(scopes.join(' '), said);
    const { proof } = login;
    const next = await this.header(scopes);
    if (next === undefined) return undefined;
    if (next !== sent) return 'asked';
    const challenge = this.#challengeFor(scopes);
    if (challenge?.scheme !== 'bearer') {
      login.doubt(proof);
      return undefined;
    }
    const key = keyOf(challenge, this.#wanted(challenge, scopes));
    await this.review(answer, scopes, next);
    const refused = this.#refusedTokens.get(key) ?? new Set();
    this.#refusedTokens.set(key, refused.add(next));
    // No more tokens are requested with the login: if it is wrong, the registry may lock the account.
    if (refused.size >= MOST_TOKENS_IN_TURN) return undefined;
    this.#tokens.delete(key);
    return 'renewed';
  }

  /**
   * Finds out if the login is wrong after the refusal of a token that was never accepted. A host that a redirect led to
   * did not get the login. Throws `UNAUTHORIZED` if it is wrong.
   */
  async review(answer: HttpAnswer, scopes: readonly Scope[], sent: string | undefined): Promise<void> {
    const challenge = this.#challengeFor(scopes);
    if (challenge?.scheme !== 'bearer' || sent === undefined) return;
    if (answer.url.origin !== this.#endpoint.url.origin) return;
    await this.#untried
      .get(keyOf(challenge, this.#wanted(challenge, scopes)))
      ?.review(challenge, scopes, sent);
  }

  /** Learns from an answer that accepted a request with these scopes. */
  admit(scopes: readonly Scope[]): void {
    const isNew = this.#refusedTokens.size > 0 || this.#untried.size > 0;
    const challenge = isNew ? this.#challengeFor(scopes) : undefined;
    if (challenge?.scheme !== 'bearer') return;
    const key = keyOf(challenge, this.#wanted(challenge, scopes));
    this.#refusedTokens.delete(key);
    this.#untried.get(key)?.trial.accept();
    this.#untried.delete(key);
  }

  /** Lets the requests continue that wait for a request with these scopes, which has ended. */
  release(scopes: readonly Scope[]): void {
    for (const login of this.#logins.values()) login.trial.leave(scopes.join(' '));
  }

  /** Returns the login for a request, whose own repository is in its first scope. */
  async #loginFor([scope]: readonly string[]): Promise<Login> {
    this.#known ??= this.#lookup();
    const known = loginFor(await this.#known, scope === undefined ? undefined : repositoryOf(scope));
    const login = this.#logins.get(known) ?? this.#openLogin(known);
    this.#logins.set(known, login);
    return login;
  }

  /** If there is no login for a request, the logins of the host are for other paths. */
  async #absence(): Promise<LoginAbsence> {
    this.#known ??= this.#lookup();
    const ofPaths = (await this.#known).filter(({ path }) => path !== undefined);
    return { host: this.#host, ofPaths, absentFile: this.#absentFile };
  }

  #challengeFor(scopes: readonly Scope[]): Challenge | undefined {
    const asked = this.#asked.get(scopes.join(' '));
    if (asked !== undefined || this.#challenge?.scheme !== 'bearer') return asked ?? this.#challenge;
    // The scope of a challenge is that of its own request; GHCR answers the ping with one that belongs to no request.
    return { ...this.#challenge, scopes: [] };
  }

  #wanted(challenge: BearerChallenge, scopes: readonly string[]): string[] {
    const [first, ...others] = [...scopes, ...scopesBeyond(challenge.scopes, scopes)];
    if (first === undefined) return [];
    return [first, ...others.filter((scope) => !this.#refusedScopes.has(scope))];
  }

  /** `request` are the scopes of the request that needs the token. */
  async #token(
    challenge: BearerChallenge,
    scopes: readonly string[],
    request: readonly string[],
  ): Promise<Token> {
    const wanted = this.#wanted(challenge, scopes);
    const key = keyOf(challenge, wanted);
    const known = await this.#tokens.get(key);
    if (known !== undefined && known.staleAt > Date.now()) return known;
    const current = this.#tokens.get(key);
    // Another request may have renewed it meanwhile.
    if (current !== undefined && (await current) !== known) return current;
    const fetched = this.#fetch(challenge, wanted, request);
    this.#tokens.set(key, fetched);
    // A refusal is kept, as it would be the same again; a transient failure is not.
    fetched.catch((error: unknown) => {
      if (!isRefusal(error) && this.#tokens.get(key) === fetched) this.#tokens.delete(key);
    });
    return fetched;
  }

  async #fetch(
    challenge: BearerChallenge,
    scopes: readonly string[],
    request: readonly string[],
  ): Promise<Token> {
    const login = await this.#loginFor(scopes);
    this.#untried.set(keyOf(challenge, scopes), login);
    try {
      if (login.credential?.kind === 'password') await login.trial.enter(request.join(' '));
      return await this.#fetchInTurn(challenge, scopes);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [first, ...others] = scopes;
      if (first === undefined || others.length === 0) throw error;
      await login.prove(challenge, scopes);
      for (const scope of others) this.#refusedScopes.add(scope);
      return this.#token(challenge, [first], request);
    }
  }

  async #fetchInTurn(challenge: BearerChallenge, scopes: readonly string[]): Promise<Token> {
    const login = await this.#loginFor(scopes);
    const giveBack = await ConcurrencyLimiter.take([this.#limiter], this.#signal);
    let proof: object | undefined;
    try {
      // The login may have been refused meanwhile.
      await login.prove(challenge, scopes);
      proof = login.proof;
      return await this.#tokenService.fetch(challenge, scopes, login.credential);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (error.status === 401 || error.status === 403) login.doubt(proof);
      throw login.credential === undefined ? anonymousRefusal(error, await this.#absence()) : error;
    } finally {
      giveBack();
    }
  }
}

function keyOf({ realm, service = '' }: BearerChallenge, scopes: readonly string[]): string {
  return [realm, service, ...scopes].join('\n');
}

function canAnswer({ scheme }: Challenge, { credential }: Login): boolean {
  return scheme === 'bearer' || credential?.kind === 'password';
}

function isRefusal(error: unknown): error is HttpFailure {
  return isAnswerFailure(error) && !error.transient;
}
