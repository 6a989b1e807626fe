import { LIMIT_FLAGS, PACE, RETRY_FLAGS, trustFlags } from '../config/flags/connection-flags.ts';
import type { Flag } from '../config/flags/flag.ts';
import { GITHUB_TOKEN_FLAG } from '../config/flags/github-token-flag.ts';
import { imagesFlag } from '../config/flags/given-images-flag.ts';
import { namingFlag } from '../config/flags/naming-flag.ts';
import { loginsFlag } from '../config/flags/registry-logins.ts';
import { SIGNATURE_FLAGS } from '../config/flags/signature-flags.ts';
import { upstreamMirrorFlag } from '../config/flags/upstream-mirror-flag.ts';

const WHAT = 'Images to mirror';
const WHERE = 'Source and destination';
const HOW = 'How to mirror';
const RESULT = 'State and result';

/** Where an image set is mirrored to if nothing else is given. */
const DEFAULT_DESTINATION = 'registry.cn-hangzhou.aliyuncs.com';

const TABLE = [
  {
    name: 'source',
    value: 'HOST',
    default: 'registry.k8s.io',
    group: WHERE,
    description: 'Registry to mirror images from',
  },
  {
    name: 'push-to',
    value: 'HOST',
    refusesEmpty: true,
    default: DEFAULT_DESTINATION,
    // Nobody writes the space. It shows that the destination of given images was left out, and is ignored otherwise.
    inputDefault: ` ${DEFAULT_DESTINATION}`,
    group: WHERE,
    description: 'Registry to mirror images to: the destination; required if you give images',
  },
  {
    name: 'push-ns',
    value: 'PATH',
    default: 'keel',
    group: WHERE,
    description: 'Namespace at the destination; "/" for none',
  },
  {
    name: 'username',
    short: 'u',
    value: 'NAME',
    environment: 'KEEL_USERNAME',
    group: WHERE,
    description:
      'User name for the destination; without it, the login stored by docker login or podman login is used',
  },
  {
    name: 'password',
    short: 'p',
    value: 'SECRET',
    environment: 'KEEL_PASSWORD',
    secret: true,
    user: 'username',
    group: WHERE,
    description: 'Password for the destination',
  },
  {
    name: 'password-stdin',
    commandLineOnly: true,
    group: WHERE,
    description: 'Read the password from standard input',
  },
  loginsFlag(WHERE),
  ...trustFlags(WHERE),
  {
    name: 'ca-file',
    value: 'FILE',
    group: WHERE,
    description: 'PEM file with certificate authorities to trust in addition to the usual ones',
  },
  {
    name: 'image-set',
    value: 'FILE',
    defaultNote: 'image_set.json',
    group: WHAT,
    description: 'File that lists the images to mirror; if you give images, only its rules apply to them',
  },
  imagesFlag(WHAT, 'Mirror only these images'),
  {
    name: 'addition-ns',
    value: 'NAME',
    repeatable: true,
    group: WHAT,
    description: 'Namespaces of the source that prefixes search in addition to its top level; "*" for all',
  },
  {
    name: 'platform',
    value: 'OS/ARCH',
    repeatable: true,
    default: 'all',
    group: WHAT,
    description: 'Platforms to copy from multi-platform images',
  },
  {
    name: 'signatures',
    value: 'skip|copy',
    default: 'skip',
    group: WHAT,
    description: 'Whether to copy the signatures and attestations of images',
  },
  {
    name: 'shard',
    value: 'I/N',
    group: WHAT,
    description: 'Mirror only part I of N, so that N jobs can share the work',
  },
  upstreamMirrorFlag(WHAT),
  {
    ...GITHUB_TOKEN_FLAG,
    inputOnly: true,
    group: WHAT,
    description:
      'Token for requests to api.github.com about a new Kubernetes release, if other GitHub addresses refuse them; GITHUB_TOKEN is read too',
  },
  {
    name: 'dry-run',
    group: HOW,
    description: 'Show what would be mirrored, and push nothing',
  },
  namingFlag(HOW),
  {
    name: 'verify',
    value: 'sample|all|deep|none',
    default: 'sample',
    group: HOW,
    description:
      'Already mirrored images to check at the destination, with each of their platforms: a sample, all or none; deep checks every layer of all',
  },
  {
    name: 'moved-tags',
    value: 'warn|keep|copy',
    default: 'warn',
    group: 'Trust',
    description:
      'When a tag such as v1.2.3 moved: copy the new image with a warning, keep the old one and fail, or copy without a warning',
  },
  ...SIGNATURE_FLAGS,
  ...LIMIT_FLAGS,
  {
    name: 'command-timeout',
    value: 'DURATION',
    default: '0',
    defaultNote: '0 = no limit',
    group: PACE,
    description: 'Time limit of the whole run; the next run copies what is left',
  },
  {
    name: 'push-timeout',
    value: 'DURATION',
    default: '15m0s',
    group: PACE,
    description: 'Time limit for the transfers of one image; 0 = no limit',
  },
  ...RETRY_FLAGS,
  {
    name: 'db',
    value: 'FILE',
    default: 'sync.bolt.db',
    group: RESULT,
    description: 'State file, with what earlier runs recorded; losing it costs time, never images',
  },
  {
    name: 'state',
    value: 'file|registry',
    default: 'file',
    group: RESULT,
    description:
      'Where to keep the state between runs: in the state file (in Actions: in the cache), or at the destination, as keel-state',
  },
  {
    name: 'report',
    value: 'FILE',
    group: RESULT,
    description: 'Write the result of each image to this file, as JSON',
  },
  {
    name: 'fail-on',
    value: 'any|never',
    default: 'any',
    group: RESULT,
    description: 'Whether a failed image makes the run fail',
  },
  {
    name: 'json',
    commandLineOnly: true,
    group: RESULT,
    description: 'Print the result as JSON on standard output, and everything else on standard error',
  },
] as const satisfies readonly Flag[];

export type SyncFlagName = (typeof TABLE)[number]['name'];

/** The flags of `synctl sync`, which are the inputs of action-sync. */
export const SYNC_FLAGS: readonly Flag<SyncFlagName>[] = TABLE;
