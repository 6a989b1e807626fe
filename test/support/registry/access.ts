import { randomBytes } from 'node:crypto';
import { LOGIN } from '../token-server.ts';
import { type Answer, json, refusal } from './answer.ts';
import { type Exchange, headerOf, readBody } from './exchange.ts';
import { isWrite } from './route.ts';

export type AccessAction = 'pull' | 'push' | 'delete';

/** Who may do what. With `none` anyone may do anything. */
export interface Access {
  readonly mode: 'none' | 'basic' | 'bearer';
  readonly users?: Readonly<Record<string, string>>;
  /** Refresh tokens by which users get their tokens (OAuth2). */
  readonly identityTokens?: Readonly<Record<string, string>>;
  /** Whether reading needs no user: without a token at all, or with one that anyone gets. */
  readonly anonymousPull?: boolean;
  /** Seconds a token lives; the answer tells it. */
  readonly expiresIn?: number;
  /** Where tokens come from, instead of from `/token` of the host that was asked. */
  readonly realm?: string;
  /** Whether tokens are JSON Web Tokens, which name the user in `sub`, empty for nobody. */
  readonly isJwt?: boolean;
  /** Under which name the token comes. */
  readonly tokenField?: 'token' | 'access_token';
  readonly allows?: (user: string | undefined, repository: string, action: AccessAction) => boolean;
  readonly deniedStatus?: 401 | 403;
  /** How the token service answers a wrong password: with a status, or with a token for nobody, as Harbor does. */
  readonly wrongPassword?: 400 | 401 | 403 | 'anonymous';
  /** The status for a request for a token without a scope; without it such a token is given. */
  readonly noScopeStatus?: number;
  /** Whether a ping needs a token, but any will do. */
  readonly isPingOpen?: boolean;
  /** The status for a request for a token in which a scope is not allowed; without it the token is without the scope. */
  readonly refusedScopeStatus?: number;
}

/** Tokens for the one user, as private registries want them. */
export const TOKENS: Access = { mode: 'bearer', users: { [LOGIN.username]: LOGIN.password } };
/** Tokens that anyone may have to read, as public registries give them. */
export const PUBLIC_TOKENS: Access = { ...TOKENS, anonymousPull: true };

interface IssuedToken {
  readonly user: string | undefined;
  readonly grants: ReadonlySet<string>;
  readonly expires: number;
}

/** Guards a test registry: asks for a login, gives tokens and looks at their scopes. */
export class Gate {
  readonly #options: Access;
  readonly #tokens = new Map<string, IssuedToken>();
  // A test ends tokens early by moving this clock, not by waiting.
  #clockOffset = 0;

  constructor(options: Access) {
    this.#options = options;
  }

  /** Makes every token given so far worthless, as a restarted token service does. */
  revoke(): void {
    this.#tokens.clear();
  }

  /** Lets time pass for tokens. */
  advance(milliseconds: number): void {
    this.#clockOffset += milliseconds;
  }

  /** Returns the refusal of a request, or `undefined` where it may go on. */
  refuse(exchange: Exchange): Answer | undefined {
    const { mode } = this.#options;
    if (mode === 'none' || exchange.entry.kind === 'token') return undefined;
    const header = headerOf(exchange, 'authorization') ?? '';
    const needed = neededGrants(exchange);
    if (mode === 'basic') return this.#refuseBasic(exchange, header, needed);
    const token = /^Bearer (.+)$/.exec(header)?.[1];
    if (token === undefined) return this.#challenge(exchange, needed, 401);
    const issued = this.#tokens.get(token);
    if (issued === undefined || issued.expires <= this.#now()) return this.#challenge(exchange, needed, 401);
    // Harbor answers a ping with a token for nobody as one without a token.
    const isNobody = issued.user === undefined && this.#options.wrongPassword === 'anonymous';
    if (isNobody && this.#options.isPingOpen !== true && exchange.entry.kind === 'ping')
      return this.#challenge(exchange, needed, 401);
    if (needed.every((grant) => issued.grants.has(grant))) return undefined;
    return this.#challenge(exchange, needed, this.#options.deniedStatus ?? 401);
  }

  /** Returns whether the request's token allows something beyond what the request needs by itself. */
  mayAlso(exchange: Exchange, repository: string, action: AccessAction): boolean {
    if (this.#options.mode === 'none') return true;
    if (this.#options.mode === 'basic') {
      return this.#allows(this.#userOf(headerOf(exchange, 'authorization') ?? ''), repository, action);
    }
    const token = (headerOf(exchange, 'authorization') ?? '').replace(/^Bearer /, '');
    return this.#tokens.get(token)?.grants.has(`${repository} ${action}`) === true;
  }

  /** Answers the token endpoint (distribution-spec token and OAuth2 authentication). */
  async issue(exchange: Exchange): Promise<Answer> {
    const form =
      exchange.entry.method === 'POST'
        ? new URLSearchParams((await readBody(exchange, 65_536))?.toString('utf8'))
        : exchange.url.searchParams;
    const header = headerOf(exchange, 'authorization') ?? '';
    const refresh = form.get('refresh_token');
    const user = refresh === null ? this.#userOf(header) : this.#options.identityTokens?.[refresh];
    const { wrongPassword = 401, anonymousPull, refusedScopeStatus } = this.#options;
    const isWrong = user === undefined && (header !== '' || refresh !== null);
    if (isWrong && wrongPassword !== 'anonymous') {
      return refusal(wrongPassword, 'UNAUTHORIZED', 'incorrect username or password');
    }
    if (!isWrong && user === undefined && anonymousPull !== true) return refusal(401, 'UNAUTHORIZED');
    const grants = new Set<string>();
    const scopes =
      exchange.entry.method === 'POST' ? (form.get('scope') ?? '').split(' ') : form.getAll('scope');
    const { noScopeStatus } = this.#options;
    if (noScopeStatus !== undefined && scopes.length === 0) return refusal(noScopeStatus, 'UNSUPPORTED');
    for (const scope of scopes) {
      const [type, repository = '', actions = ''] = scope.split(':');
      if (type !== 'repository') continue;
      for (const action of actions.split(',')) {
        if (isAction(action) && this.#allows(user, repository, action)) grants.add(`${repository} ${action}`);
        else if (refusedScopeStatus !== undefined) return refusal(refusedScopeStatus, 'DENIED');
      }
    }
    const random = randomBytes(24).toString('hex');
    const claims = { sub: user ?? '', jti: random, access: scopes };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const token = this.#options.isJwt === true ? `e30.${payload}.${random}` : random;
    const life = this.#options.expiresIn ?? 300;
    this.#tokens.set(token, { user, grants, expires: this.#now() + life * 1000 });
    return json(200, { [this.#options.tokenField ?? 'token']: token, expires_in: life });
  }

  #now(): number {
    return Date.now() + this.#clockOffset;
  }

  #allows(user: string | undefined, repository: string, action: AccessAction): boolean {
    const { allows, anonymousPull } = this.#options;
    if (user === undefined && (action !== 'pull' || anonymousPull !== true)) return false;
    return allows?.(user, repository, action) ?? true;
  }

  #userOf(header: string): string | undefined {
    const pair = Buffer.from(/^Basic (.+)$/.exec(header)?.[1] ?? '', 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon < 0) return undefined;
    const user = pair.slice(0, colon);
    return this.#options.users?.[user] === pair.slice(colon + 1) ? user : undefined;
  }

  #refuseBasic(exchange: Exchange, header: string, needed: readonly string[]): Answer | undefined {
    const user = this.#userOf(header);
    const isOpen = this.#options.anonymousPull === true && needed.every((grant) => grant.endsWith(' pull'));
    if (user === undefined && (header !== '' || !isOpen)) return this.#challenge(exchange, needed, 401);
    const isAllowed = needed.every((grant) => {
      const [repository = '', action = ''] = grant.split(' ');
      return isAction(action) && this.#allows(user, repository, action);
    });
    return isAllowed ? undefined : refusal(403, 'DENIED');
  }

  #challenge(exchange: Exchange, needed: readonly string[], status: 401 | 403): Answer {
    if (this.#options.mode === 'basic') {
      return refusal(401, 'UNAUTHORIZED', undefined, { 'www-authenticate': 'Basic realm="test registry"' });
    }
    if (status === 403) return refusal(403, 'DENIED');
    const scope = needed.length === 0 ? '' : `,scope="${scopeOf(needed)}"`;
    const realm = this.#options.realm ?? `${exchange.url.origin}/token`;
    return refusal(401, 'UNAUTHORIZED', undefined, {
      'www-authenticate': `Bearer realm="${realm}",service="test-registry"${scope}`,
    });
  }
}

function isAction(text: string): text is AccessAction {
  return text === 'pull' || text === 'push' || text === 'delete';
}

function neededGrants(exchange: Exchange): string[] {
  const { repository } = exchange.entry;
  if (repository === '') return [];
  if (exchange.entry.method === 'DELETE' && !exchange.entry.kind.startsWith('upload'))
    return [`${repository} delete`];
  const isPush = isWrite(exchange.entry.method) || exchange.entry.kind.startsWith('upload');
  return [`${repository} ${isPush ? 'push' : 'pull'}`];
}

function scopeOf(grants: readonly string[]): string {
  return grants
    .map((grant) => {
      const [repository, action] = grant.split(' ');
      return `repository:${repository}:${action === 'push' ? 'pull,push' : action}`;
    })
    .join(' ');
}
