import { z } from 'zod';
import { readJson } from '../../lib/json.ts';

const claimsShape = z.record(z.string(), z.unknown());

/** Claims that differ from token to token, and those that list what it allows. */
const NOT_OF_HOLDER: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf', 'jti', 'access', 'scope']);

/**
 * Returns which account a token names, to be compared with another token of the same token service; undefined if it
 * is no JSON Web Token. Docker's specification has the account as `sub`, which is empty for an anonymous token; Gitea and
 * others have claims of their own. https://distribution.github.io/distribution/spec/auth/jwt/
 */
export function holderOf(token: string): string | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const claims = claimsShape.parse(readJson(Buffer.from(payload, 'base64url')));
    const own = Object.entries(claims).filter(([name]) => !NOT_OF_HOLDER.has(name.toLowerCase()));
    return JSON.stringify(own.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  } catch {
    return undefined;
  }
}
