import { z } from 'zod';
import { readJson } from '../../lib/json.ts';
import { fieldOf, TEXT_FIELD } from '../../lib/zero-value.ts';

/** A token of a registry, which is valid for a while. */
export interface Token {
  /** The value of the `Authorization` header; undefined if the registry turned out to need none. */
  readonly header: string | undefined;
  /** When to renew it, in milliseconds since 1970, with a margin for clocks and for requests in flight. */
  readonly staleAt: number;
}

const answerShape = z.object({
  token: TEXT_FIELD,
  access_token: TEXT_FIELD,
  expires_in: fieldOf(z.number()).catch(undefined),
});

const SHORTEST_LIFE_SECONDS = 60;
/** Servers accept 8 to 16 KiB of headers, and the longest tokens of clouds have 4 KiB. */
const LENGTH_LIMIT = 64 * 1024;

/**
 * Returns the token in an answer of a token service (distribution-spec token authentication), or an error that says
 * what is wrong.
 */
export function parseToken(body: string): { readonly token: string; readonly seconds: number } | Error {
  try {
    const parsed = answerShape.parse(readJson(body) ?? {});
    const token = parsed.token ?? parsed.access_token;
    if (!token || /[^\x21-\x7e]/.test(token)) return new Error('it contains no token');
    if (token.length > LENGTH_LIMIT) return new Error(`its token has ${token.length} characters`);
    return { token, seconds: Math.max(parsed.expires_in ?? SHORTEST_LIFE_SECONDS, SHORTEST_LIFE_SECONDS) };
  } catch {
    // The parser's error is not used, because it can quote a part of the token.
    return new Error('it does not follow the protocol');
  }
}
