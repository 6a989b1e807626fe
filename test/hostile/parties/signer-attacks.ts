import { type Endings, type SourceAttack, unlessRequired } from './source-attack.ts';
import type { Stage } from './stage.ts';

/** Who may sign what lies below `theirs/`, and nothing else. */
export const THEM = { identity: 'releases@their.example', issuer: 'https://accounts.example.com' };
const REPOSITORY = 'https://github.com/org/app';
const ISSUER = 'https://token.actions.githubusercontent.com';
const RELEASES = `${REPOSITORY}/.github/workflows/release.yml@refs/tags/v*`;
const RELEASE = { identity: RELEASES.replace('*', '1.0.0'), issuer: ISSUER };

/** Whose signatures count where; `ME` of `stage.ts` signs the rest. */
export function policiesOfMakers(host: string, rest: object): object {
  return {
    [host]: rest,
    [`${host}/theirs`]: THEM,
    [`${host}/unnamed`]: { ...THEM, acceptUnnamed: true },
    [`${host}/workflow`]: { identity: RELEASES, issuer: ISSUER },
  };
}

/** They may say of their own images what they like. */
const THEIR_OWN: Endings = {
  off: { copied: 'offered' },
  warn: { copied: 'offered', signature: 'verified' },
  require: { copied: 'offered', signature: 'verified' },
};

const LONGEST = {
  page: 'signatures.md',
  says: 'a registry, or a registry and the start of a path; the longest match applies',
} as const;
const WHOLE_IDENTITY = {
  page: 'signatures.md',
  says: 'keel-pkg compares all of it; `*` stands for text without `/` and `@`, `**` for any text',
} as const;
const REFUSED = unlessRequired('SIGNATURE_REFUSED');

/** Signs a forged image as a workflow that is not the one that releases. */
function asWorkflow(identity: string): Pick<SourceAttack, 'path' | 'signer' | 'bend' | 'ends'> {
  return {
    path: 'workflow/',
    signer: RELEASE,
    bend: (stage: Stage) => stage.sign(stage.forge(), { by: { identity, issuer: ISSUER } }),
    ends: REFUSED,
  };
}

/** What makers try who may sign something, and would like to vouch for more. */
export const SIGNER_ATTACKS: readonly SourceAttack[] = [
  {
    tries: 'to vouch for an image that others release',
    ...LONGEST,
    bend: (stage) => stage.sign(stage.forge(), { by: THEM }),
    ends: REFUSED,
  },
  {
    tries: 'the same with a bundle',
    ...LONGEST,
    bend: (stage) => stage.bundle(stage.forge(), { by: THEM }),
    ends: REFUSED,
  },
  {
    tries: 'to vouch for an image whose path begins like theirs',
    ...LONGEST,
    path: 'theirs-too/',
    bend: (stage) => stage.sign(stage.forge(), { by: THEM }),
    ends: REFUSED,
  },
  {
    tries: 'to vouch for an image below a path of theirs, if they sign for all of the registry',
    ...LONGEST,
    path: 'theirs/',
    signer: THEM,
    bend: (stage) => stage.sign(stage.forge()),
    ends: REFUSED,
  },
  {
    tries: 'a bundle that names nothing, where such ones count of their own images',
    page: 'signatures.md',
    says: 'A signature that names no image is accepted only if you allow it for its signer',
    path: 'theirs/',
    signer: THEM,
    bend: (stage) => stage.bundle(stage.forge(), { by: THEM, as: [] }),
    ends: REFUSED,
  },
  {
    tries: 'the name of an image of theirs for another one of theirs',
    page: 'signatures.md',
    says: 'keel-pkg never accepts the name of another image.',
    path: 'unnamed/',
    signer: THEM,
    bend: (stage) =>
      stage.bundle(stage.forge(), { by: THEM, as: [`${stage.registry.host}/unnamed/another`] }),
    ends: REFUSED,
  },
  {
    tries: 'a bundle that names nothing for an image of theirs, where such ones count',
    page: 'signatures.md',
    says: 'Then every image that they sign can be offered for every other one of that registry or path',
    path: 'unnamed/',
    signer: THEM,
    bend: (stage) => stage.bundle(stage.forge(), { by: THEM, as: [] }),
    ends: THEIR_OWN,
  },
  {
    tries: 'a bad image that is theirs to sign',
    page: 'signatures.md',
    says: 'A signature shows whose an image is, not that it has no fault.',
    path: 'theirs/',
    signer: THEM,
    bend: (stage) => stage.sign(stage.forge(), { by: THEM }),
    ends: THEIR_OWN,
  },
  {
    tries: 'another workflow of the repository',
    ...WHOLE_IDENTITY,
    ...asWorkflow(`${REPOSITORY}/.github/workflows/test.yml@refs/tags/v1.0.0`),
  },
  {
    tries: 'the workflow on a branch',
    ...WHOLE_IDENTITY,
    ...asWorkflow(`${REPOSITORY}/.github/workflows/release.yml@refs/heads/v1.0.0`),
  },
  {
    tries: 'a branch whose name has that of a tag in it',
    ...WHOLE_IDENTITY,
    ...asWorkflow(`${REPOSITORY}/.github/workflows/release.yml@refs/heads/x@refs/tags/v1.0.0`),
  },
  {
    tries: 'a tag with more parts than are left open',
    ...WHOLE_IDENTITY,
    ...asWorkflow(`${RELEASE.identity}/../../heads/main`),
  },
  {
    tries: 'the workflow in a fork',
    ...WHOLE_IDENTITY,
    ...asWorkflow(RELEASE.identity.replace('org/app', 'fork/app')),
  },
  {
    tries: 'an identity that the wanted one is the beginning of',
    ...WHOLE_IDENTITY,
    bend: (stage) => stage.sign(stage.forge(), { by: { identity: 'release@example.com.au' } }),
    ends: REFUSED,
  },
];
