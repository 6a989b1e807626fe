import { z } from 'zod';

/** What lets requests pass at a registry for a while. */
export interface Token {
  /** Absent where the registry turned out to want none. */
  readonly header: string | undefined;
  /** In milliseconds since 1970, with a margin for clocks and for requests under way. */
  readonly staleAt: number;
}

const answerShape = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional().catch(undefined),
});

const SHORTEST_LIFE_SECONDS = 60;
/** Servers take 8 to 16 KiB of headers; a cloud's longest tokens have 4 KiB. */
const LENGTH_LIMIT = 64 * 1024;

/** Reads the answer of a token service (distribution-spec token authentication), or gives what is wrong with it. */
export function parseToken(body: string): { readonly token: string; readonly seconds: number } | Error {
  try {
    const parsed = answerShape.parse(JSON.parse(body));
    const token = parsed.token || parsed.access_token;
    if (!token || /[^\x21-\x7e]/.test(token)) return new Error('there is no token in it');
    if (token.length > LENGTH_LIMIT) return new Error(`its token has ${token.length} characters`);
    return { token, seconds: Math.max(parsed.expires_in ?? SHORTEST_LIFE_SECONDS, SHORTEST_LIFE_SECONDS) };
  } catch {
    // What a parser says of it may quote a part of the token.
    return new Error('it is not what the protocol says');
  }
}
