/** The API of github.com. */
export const GITHUB_API = 'https://api.github.com';

/** In bytes; of an answer about a release with hundreds of files. */
export const RELEASE_ANSWER_LIMIT = 4 * 1024 * 1024;

/**
 * Returns what gives an address its header Authorization, if it has one: a token of github.com goes to its API, and to nobody
 * else, wherever a redirect leads.
 */
export function githubAuthorization(token: string | undefined): (url: URL) => string | undefined {
  return ({ origin }) => (token !== undefined && origin === GITHUB_API ? `Bearer ${token}` : undefined);
}
