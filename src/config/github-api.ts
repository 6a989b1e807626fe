/** The API of github.com. */
export const GITHUB_API = 'https://api.github.com';

/** In bytes; larger than an answer about a release with hundreds of files. */
export const RELEASE_ANSWER_LIMIT = 4 * 1024 * 1024;

/**
 * Returns a function that returns the Authorization header for an address, if it gets one. A token of github.com is only
 * sent to its API, wherever a redirect leads.
 */
export function githubAuthorization(token: string | undefined): (url: URL) => string | undefined {
  return ({ origin }) => (token !== undefined && origin === GITHUB_API ? `Bearer ${token}` : undefined);
}
