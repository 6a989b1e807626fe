import { RETRY_FLAGS, trustFlags } from '../config/flags/connection-flags.ts';
import type { Flag } from '../config/flags/flag.ts';
import { loginsFlag } from '../config/flags/registry-logins.ts';
import { REGISTRY } from './registry/registry-kind.ts';
import { DEFAULT_WORD, TARGET_WORDS, TARGETS } from './targets.ts';

const WHERE = 'Where the package goes';
const RUN = 'How it runs';

const WHERE_TABLE = [
  {
    name: 'repo',
    value: 'TARGET',
    default: DEFAULT_WORD,
    repeatable: true,
    group: WHERE,
    description: `Where to publish: ${TARGET_WORDS}, where dockerhub is Docker Hub or any other registry`,
  },
  {
    name: 'overwrite',
    group: WHERE,
    description: 'Replace a published package that has other content, which otherwise only -beta ones may',
  },
] as const satisfies readonly Flag[];

const PUSH_TABLE = [
  {
    name: 'pkg-uri',
    value: 'FILE',
    group: WHERE,
    description: 'Package to publish: a path or a file:// address',
  },
  loginsFlag(REGISTRY.group),
  ...trustFlags(REGISTRY.group),
  {
    name: 'ca-file',
    value: 'FILE',
    group: REGISTRY.group,
    description: 'PEM file of certificate authorities to trust besides the usual ones, at every target',
  },
  {
    name: 'command-timeout',
    value: 'DURATION',
    default: '0',
    defaultNote: '0 = no limit',
    group: RUN,
    description: 'Time for the whole command; the next one goes on from where it stopped',
  },
  ...RETRY_FLAGS.map((flag) => ({ ...flag, group: RUN })),
  {
    name: 'json',
    commandLineOnly: true,
    group: RUN,
    description: 'Print where the package is as JSON on standard output, and all else on standard error',
  },
] as const satisfies readonly Flag[];

type TargetFlagName = (typeof TARGETS)[number]['flags'][number]['name'];

export type PublishFlagName = (typeof WHERE_TABLE)[number]['name'] | TargetFlagName;
export type PushFlagName = PublishFlagName | (typeof PUSH_TABLE)[number]['name'];

/** The flags for where a package goes, shared by `packer push` and action-pack. */
export const PUBLISH_FLAGS: readonly Flag<PublishFlagName>[] = [
  ...WHERE_TABLE,
  ...TARGETS.flatMap(({ flags, group }) => flags.map((flag) => ({ ...flag, group }))),
];

const [PACKAGE_FLAG, ...CONNECTION_AND_RUN_FLAGS] = PUSH_TABLE;

/** The flags of `packer push`. */
export const PUSH_FLAGS: readonly Flag<PushFlagName>[] = [
  PACKAGE_FLAG,
  ...PUBLISH_FLAGS,
  ...CONNECTION_AND_RUN_FLAGS,
];
