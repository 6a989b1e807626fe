import { createPrivateKey, createSign, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { listen, type OpenListener } from './registry/listener.ts';
import { LOOPBACK } from './test-authority.ts';

/** A user name with its password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The one user of registries that want a login. */
export const LOGIN: Login = { username: 'keel', password: 'keel-test-password' };

/** Returns the variables in which both tools find a login. */
export function loginVariables({
  username,
  password,
}: Login): Record<'KEEL_USERNAME' | 'KEEL_PASSWORD', string> {
  return { KEEL_USERNAME: username, KEEL_PASSWORD: password };
}

/** The certificate whose tokens a registry is to believe. */
export const TOKEN_CERTIFICATE = resolve('test/fixtures/registry-token/certificate.pem');
export const TOKEN_SERVICE = 'keel test registry';
export const TOKEN_ISSUER = 'keel test tokens';

const KEY = resolve('test/fixtures/registry-token/key.pem');
const LIFETIME_SECONDS = 300;

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/**
 * Returns tokens for a registry, as Docker's token specification has it: all that is asked for to the one user, pulling
 * to strangers, and 401 for a wrong password.
 */
export class TokenServer implements AsyncDisposable {
  /** The scopes of each token that was asked for. */
  readonly asked: (readonly string[])[] = [];
  readonly #listener: OpenListener;
  readonly #login: Login;
  readonly #key = createPrivateKey(readFileSync(KEY));
  readonly #certificate = new X509Certificate(readFileSync(TOKEN_CERTIFICATE));

  private constructor(listener: OpenListener, login: Login) {
    this.#listener = listener;
    this.#login = login;
  }

  static async start(login: Login, { tls = true } = {}): Promise<TokenServer> {
    const opened = Promise.withResolvers<TokenServer>();
    const listener = await listen(
      (request, response) => void opened.promise.then((server) => server.#answer(request, response)),
      tls ? LOOPBACK : undefined,
    );
    const server = new TokenServer(listener, login);
    opened.resolve(server);
    return server;
  }

  get realm(): string {
    return `${this.#listener.origin}/token`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#listener.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { authorization } = request.headers;
    const { username, password } = this.#login;
    const known = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const scopes = new URL(request.url ?? '/', this.realm).searchParams.getAll('scope');
    this.asked.push(scopes);
    if (authorization !== undefined && authorization !== known) {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"errors":[]}');
      return;
    }
    const isKnown = authorization === known;
    const access = scopes.flatMap((scope) => scope.split(' ')).map((scope) => grant(scope, isKnown));
    const token = this.#sign({ access, sub: isKnown ? username : '' });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: LIFETIME_SECONDS }));
  }

  #sign(claims: { readonly access: readonly Access[]; readonly sub: string }): string {
    const now = Math.floor(Date.now() / 1000);
    const header = { typ: 'JWT', alg: 'RS256', x5c: [this.#certificate.raw.toString('base64')] };
    const payload = {
      iss: TOKEN_ISSUER,
      aud: TOKEN_SERVICE,
      iat: now,
      nbf: now - 60,
      exp: now + LIFETIME_SECONDS,
      jti: randomUUID(),
      ...claims,
    };
    const parts = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
    const signature = createSign('RSA-SHA256').update(parts.join('.')).sign(this.#key, 'base64url');
    return [...parts, signature].join('.');
  }
}

function grant(scope: string, isKnown: boolean): Access {
  const [type = '', ...rest] = scope.split(':');
  const wanted = rest.pop()?.split(',') ?? [];
  return {
    type,
    name: rest.join(':'),
    actions: isKnown ? wanted : wanted.filter((action) => action === 'pull'),
  };
}
