import { RETRY_FLAGS, trustFlags } from '../config/flags/connection-flags.ts';
import type { Flag } from '../config/flags/flag.ts';
import { loginsFlag } from '../config/flags/registry-logins.ts';
import { IMAGES_FLAGS, type ImagesFlagName } from './images/images-flags.ts';
import { REGISTRY } from './registry/registry-kind.ts';
import { DEFAULT_WORD, TARGET_WORDS, TARGETS } from './targets.ts';

const WHERE = 'Publishing';
const RUN = 'Run';

const WHERE_TABLE = [
  {
    name: 'repo',
    value: 'TARGET',
    default: DEFAULT_WORD,
    repeatable: true,
    group: WHERE,
    description: `Targets to publish to: ${TARGET_WORDS}; dockerhub means Docker Hub or any other registry`,
  },
  {
    name: 'overwrite',
    group: WHERE,
    description:
      'Overwrite a published package that has different content; -beta packages are always overwritten',
  },
] as const satisfies readonly Flag[];

const PUSH_TABLE = [
  {
    name: 'pkg-uri',
    value: 'FILE',
    group: WHERE,
    description:
      'Package to publish: a path or a file:// address; with --images-to, also the folder that it was unpacked into',
  },
  loginsFlag(REGISTRY.group),
  ...trustFlags(REGISTRY.group),
  {
    name: 'ca-file',
    value: 'FILE',
    group: REGISTRY.group,
    description:
      'PEM file with certificate authorities to trust in addition to the usual ones, at every target',
  },
  {
    name: 'command-timeout',
    value: 'DURATION',
    default: '0',
    defaultNote: '0 = no limit',
    group: RUN,
    description: 'Time limit for the whole command; the next run continues where this one stopped',
  },
  ...RETRY_FLAGS.map((flag) => ({ ...flag, group: RUN })),
  {
    name: 'json',
    commandLineOnly: true,
    group: RUN,
    description:
      'Print where the package was published as JSON on standard output, and everything else on standard error',
  },
] as const satisfies readonly Flag[];

type TargetFlagName = (typeof TARGETS)[number]['flags'][number]['name'];

export type PublishFlagName = (typeof WHERE_TABLE)[number]['name'] | TargetFlagName;
export type PushFlagName = PublishFlagName | ImagesFlagName | (typeof PUSH_TABLE)[number]['name'];

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
  ...IMAGES_FLAGS,
  ...CONNECTION_AND_RUN_FLAGS,
];
