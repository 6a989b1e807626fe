import { GITHUB_API } from '../github-api.ts';
import type { FlagReader } from './flag-reader.ts';
import type { FlagSource } from './flag-source.ts';

/** The flag for a token of GitHub, without a description. */
export const GITHUB_TOKEN_FLAG = {
  name: 'github-token',
  value: 'TOKEN',
  environment: 'KEEL_GITHUB_TOKEN',
  otherEnvironment: 'GITHUB_TOKEN',
  secret: true,
} as const;

/**
 * Returns the token for the API of github.com; undefined if there is none. A workflow on a GitHub Enterprise Server has a
 * token that is not valid at github.com.
 */
export function readGithubToken<Name extends string>(
  flags: FlagReader<Name | 'github-token'>,
  { GITHUB_API_URL }: FlagSource['environment'],
): string | undefined {
  const isOfGithub = !GITHUB_API_URL || URL.parse(GITHUB_API_URL)?.origin === GITHUB_API;
  return isOfGithub ? flags.text('github-token')?.trim() : undefined;
}
