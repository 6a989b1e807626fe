import type { SecretListener } from '../../lib/secret-forms.ts';
import type { Host } from '../oci/reference.ts';

/** A login for one registry. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. Only the token service accepts it. */
  | { readonly kind: 'identity-token'; readonly token: string };

/** A login that the user gave or stored for a host. */
export interface KnownLogin {
  readonly credential: Credential;
  /** It is only for the repository of this name and those below it; undefined for the whole host. */
  readonly path?: string | undefined;
  /** The file or the variable that it is from; undefined if it was given for this one host. */
  readonly origin?: string | undefined;
}

/** Returns the logins for exactly this host, in order of precedence; none for anonymous access. */
export type CredentialLookup = (host: Host) => Promise<readonly KnownLogin[]>;

/** Returns a lookup that asks several lookups in turn, until one has a login for the whole host. */
export function lookupInTurn(lookups: readonly CredentialLookup[]): CredentialLookup {
  return async (host) => {
    const known: KnownLogin[] = [];
    for (const lookup of lookups) {
      known.push(...(await lookup(host)));
      if (known.some(({ path }) => path === undefined)) break;
    }
    return known;
  };
}

/** Returns the first login that is for a repository, or without a repository for the whole host. */
export function loginFor(
  known: readonly KnownLogin[],
  repository: string | undefined,
): KnownLogin | undefined {
  return known.find(
    ({ path }) => path === undefined || (repository !== undefined && `${repository}/`.startsWith(`${path}/`)),
  );
}

/** Returns a lookup with one login for one host; without a name or a password it has none. */
export function explicitCredential(
  host: Host,
  username?: string,
  password?: string,
  origin?: string,
): CredentialLookup {
  if (username === undefined || password === undefined) return async () => [];
  const known: KnownLogin = { credential: { kind: 'password', username, password }, origin };
  return async (asked) => (asked === host ? [known] : []);
}

/**
 * Returns the value of a Basic `Authorization` header (RFC 7617). Calls `onSecret` first with the password and with each
 * secret that is made of it.
 */
export function passwordHeader(
  { username, password }: Credential & { readonly kind: 'password' },
  onSecret: SecretListener,
): string {
  const pair = `${username}:${password}`;
  const encoded = Buffer.from(pair).toString('base64');
  for (const secret of [password, pair]) onSecret(secret, 'password');
  onSecret(encoded, 'token');
  return `Basic ${encoded}`;
}
