import { LIMIT_FLAGS, PACE, RETRY_FLAGS, trustFlags } from '../config/flags/connection-flags.ts';
import type { Flag } from '../config/flags/flag.ts';
import { loginsFlag } from '../config/flags/registry-logins.ts';
import { SIGNATURE_FLAGS } from '../config/flags/signature-flags.ts';

const WHAT = 'What is mirrored';
const WHERE = 'From where to where';
const HOW = 'How it is mirrored';
const RESULT = 'State and result';

const TABLE = [
  {
    name: 'source',
    value: 'HOST',
    default: 'registry.k8s.io',
    group: WHERE,
    description: 'Registry whose images are mirrored',
  },
  {
    name: 'push-to',
    value: 'HOST',
    refusesEmpty: true,
    default: 'registry.cn-hangzhou.aliyuncs.com',
    group: WHERE,
    description: 'Registry that receives them',
  },
  {
    name: 'push-ns',
    value: 'PATH',
    default: 'keel',
    group: WHERE,
    description: 'Namespace there; "/" for none',
  },
  {
    name: 'username',
    short: 'u',
    value: 'NAME',
    environment: 'KEEL_USERNAME',
    group: WHERE,
    description:
      'User name for the receiving registry; without one, what docker login or podman login stored is used',
  },
  {
    name: 'password',
    short: 'p',
    value: 'SECRET',
    environment: 'KEEL_PASSWORD',
    secret: true,
    user: 'username',
    group: WHERE,
    description: 'Password for the receiving registry',
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
    description: 'PEM file of certificate authorities to trust besides the usual ones',
  },
  {
    name: 'image-set',
    value: 'FILE',
    default: 'image_set.json',
    group: WHAT,
    description: 'File that says which images are wanted',
  },
  {
    name: 'addition-ns',
    value: 'NAME',
    repeatable: true,
    group: WHAT,
    description: 'Namespaces of the source to look through besides its top level; "*" for all',
  },
  {
    name: 'platform',
    value: 'OS/ARCH',
    repeatable: true,
    default: 'all',
    group: WHAT,
    description: 'Platforms to mirror of images that offer several',
  },
  {
    name: 'signatures',
    value: 'skip|copy',
    default: 'skip',
    group: WHAT,
    description: 'What to do with the signatures and attestations of an image',
  },
  {
    name: 'shard',
    value: 'I/N',
    group: WHAT,
    description: 'Do only the I-th of N parts, so that N jobs share the work',
  },
  {
    name: 'dry-run',
    group: HOW,
    description: 'Tell what would be mirrored and push nothing',
  },
  {
    name: 'naming',
    value: 'basename|dashed|path',
    default: 'basename',
    group: HOW,
    description: 'What coredns/coredns is called there: coredns, coredns-coredns or coredns/coredns',
  },
  {
    name: 'verify',
    value: 'sample|all|deep|none',
    default: 'sample',
    group: HOW,
    description:
      'Which images known from earlier runs are asked for at the receiving registry again, with what their indexes list; deep asks for all of their parts',
  },
  {
    name: 'moved-tags',
    value: 'warn|keep|copy',
    default: 'warn',
    group: 'What is trusted',
    description:
      'When a tag such as v1.2.3 moved: copy it with a warning, keep the old image and fail, or copy it in silence',
  },
  ...SIGNATURE_FLAGS,
  ...LIMIT_FLAGS,
  {
    name: 'command-timeout',
    value: 'DURATION',
    default: '0',
    defaultNote: '0 = no limit',
    group: PACE,
    description: 'Time for the whole run; what is left then is done by the next run',
  },
  {
    name: 'push-timeout',
    value: 'DURATION',
    default: '15m0s',
    group: PACE,
    description: 'Time for the transfers of one image; 0 for no limit',
  },
  ...RETRY_FLAGS,
  {
    name: 'db',
    value: 'FILE',
    default: 'sync.bolt.db',
    group: RESULT,
    description: 'File that keeps what earlier runs did; losing it costs time, never images',
  },
  {
    name: 'state',
    value: 'file|registry',
    default: 'file',
    group: RESULT,
    description:
      'Where that file is kept between runs: where it is (in Actions: in the cache), or beside the images, as keel-state',
  },
  {
    name: 'report',
    value: 'FILE',
    group: RESULT,
    description: 'Write what became of each image to this file, as JSON',
  },
  {
    name: 'fail-on',
    value: 'any|never',
    default: 'any',
    group: RESULT,
    description: 'Whether an image that failed makes the run fail',
  },
  {
    name: 'json',
    commandLineOnly: true,
    group: RESULT,
    description: 'Print the result as JSON on standard output, and all else on standard error',
  },
] as const satisfies readonly Flag[];

export type SyncFlagName = (typeof TABLE)[number]['name'];

/** The flags of `synctl sync`, which are the inputs of action-sync. */
export const SYNC_FLAGS: readonly Flag<SyncFlagName>[] = TABLE;
