import type { FlagReader } from '../../config/flags/flag-reader.ts';
import type { FlagSource } from '../../config/flags/flag-source.ts';
import { malformed } from '../../config/flags/flag-value.ts';
import { GITHUB_TOKEN_FLAG } from '../../config/flags/github-token-flag.ts';
import { parseTag } from '../../registry/oci/reference.ts';
import { neededFlag } from '../contract/needed-flag.ts';
import type { OpenTarget, TargetFlag, TargetKind } from '../contract/target-kind.ts';
import { ReleaseTarget } from './release-target.ts';

const FLAGS = [
  {
    name: 'release-tag',
    value: 'TAG',
    defaultNote: 'kube-, then the version of the package',
    description:
      'Tag of the release that receives the package; packer creates the release if it does not exist',
  },
  {
    name: 'release-repository',
    value: 'OWNER/NAME',
    defaultNote: 'the repository of the workflow',
    environment: 'GITHUB_REPOSITORY',
    description: 'GitHub repository of the release',
  },
  {
    ...GITHUB_TOKEN_FLAG,
    description: 'Token with write access to the contents of that repository; GITHUB_TOKEN is read too',
  },
] as const satisfies readonly TargetFlag[];

type ReleaseFlagName = (typeof FLAGS)[number]['name'];

/** Releases of a repository on GitHub. */
export const RELEASE: TargetKind<'release', ReleaseFlagName> = {
  word: 'release',
  direction: 'as a release on GitHub',
  group: 'GitHub release',
  flags: FLAGS,
  read: readRelease,
};

const PUBLIC_API = 'https://api.github.com';

function readRelease(
  flags: FlagReader<ReleaseFlagName>,
  { GITHUB_API_URL }: FlagSource['environment'],
): OpenTarget | undefined {
  const target = 'a release';
  const token = neededFlag(flags, 'github-token', {
    target,
    hint: 'set it, KEEL_GITHUB_TOKEN or GITHUB_TOKEN',
  });
  const repository = flags.optional('release-repository', parseGithubRepository);
  if (flags.text('release-repository') === undefined) {
    neededFlag(flags, 'release-repository', { target, hint: 'write the repository on GitHub as owner/name' });
  }
  const tag = flags.optional('release-tag', parseTag);
  const api = URL.parse(GITHUB_API_URL || PUBLIC_API);
  if (api?.protocol !== 'https:' && api?.protocol !== 'http:') {
    flags.failures.push(
      malformed(
        'GITHUB_API_URL',
        GITHUB_API_URL ?? '',
        'is not an address',
        `write one such as ${PUBLIC_API}`,
      ),
    );
    return undefined;
  }
  if (token === undefined || repository === undefined) return undefined;
  return ({ retry, overwrite, trust }) =>
    new ReleaseTarget({ repository, token, tag, api, retry, overwrite, trust });
}

function parseGithubRepository(text: string, about: string): string {
  if (/^[\w.-]+\/[\w.-]+$/.test(text)) return text;
  throw malformed(about, text, 'is not a repository on GitHub', 'write owner/name');
}
