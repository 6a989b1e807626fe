import type { Host } from '../oci/reference.ts';

/** A login for one registry. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. Only the token service accepts it. */
  | { readonly kind: 'identity-token'; readonly token: string };

/** Returns the credential for exactly this host; undefined for anonymous access. */
export type CredentialLookup = (host: Host) => Promise<Credential | undefined>;

/** Returns a lookup that asks several lookups in turn. It asks once for each host and remembers the answer. */
export function firstCredential(lookups: readonly CredentialLookup[]): CredentialLookup {
  const answers = new Map<Host, Promise<Credential | undefined>>();
  const ask = async (host: Host): Promise<Credential | undefined> => {
    for (const lookup of lookups) {
      const credential = await lookup(host);
      if (credential !== undefined) return credential;
    }
    return undefined;
  };
  return (host) => {
    const answer = answers.get(host) ?? ask(host);
    answers.set(host, answer);
    return answer;
  };
}

/** Returns a lookup with one login for one host; without a name or a password it has none. */
export function explicitCredential(host: Host, username?: string, password?: string): CredentialLookup {
  const known: Credential | undefined =
    username === undefined || password === undefined ? undefined : { kind: 'password', username, password };
  return async (asked) => (asked === host ? known : undefined);
}

/**
 * Returns the value of a Basic `Authorization` header (RFC 7617). Calls `onSecret` first with the password and with each
 * secret that is made of it.
 */
export function passwordHeader(
  { username, password }: Credential & { readonly kind: 'password' },
  onSecret: (secret: string) => void,
): string {
  const pair = `${username}:${password}`;
  const encoded = Buffer.from(pair).toString('base64');
  for (const secret of [password, pair, encoded]) onSecret(secret);
  return `Basic ${encoded}`;
}
