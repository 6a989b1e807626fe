import type { Flag } from '../config/flags/flag.ts';

const WHERE = 'Where the package goes';
const QINIU = 'Qiniu';
const REGISTRY = 'Docker Hub or another registry';
const GITHUB = 'GitHub release';
const RUN = 'How it runs';

const PUBLISH_TABLE = [
  {
    name: 'repo',
    value: 'TARGET',
    default: 'qiniu',
    repeatable: true,
    group: WHERE,
    description: 'Where to publish: qiniu, dockerhub, release, artifact or none',
  },
  {
    name: 'overwrite',
    group: WHERE,
    description: 'Replace a published package that has other content, which otherwise only -beta ones may',
  },
  {
    name: 'access-key',
    short: 'k',
    value: 'KEY',
    environment: 'KEEL_ACCESS_KEY',
    secret: true,
    group: QINIU,
    description: 'Access key of the Qiniu account',
  },
  {
    name: 'secret-key',
    short: 's',
    value: 'SECRET',
    environment: 'KEEL_SECRET_KEY',
    secret: true,
    group: QINIU,
    description: 'Secret key of the Qiniu account',
  },
  {
    name: 'bucket',
    short: 'b',
    value: 'NAME',
    default: 'keel',
    group: QINIU,
    description: 'Bucket that receives the package',
  },
  {
    name: 'zone',
    value: 'ZONE',
    defaultNote: 'Qiniu is asked for it',
    group: QINIU,
    description: 'Zone of the bucket, such as z0, huanan or na0; the name keel means z0, Huadong',
  },
  {
    name: 'qiniu-endpoint',
    value: 'URL',
    defaultNote: "Qiniu's own",
    environment: 'KEEL_QINIU_ENDPOINT',
    group: QINIU,
    description: 'Address of the region service of another Kodo, such as a private cloud',
  },
  {
    name: 'dockerhub-username',
    value: 'NAME',
    environment: 'KEEL_DOCKERHUB_USERNAME',
    group: REGISTRY,
    description: 'User name there; without one, what docker login stored is used',
  },
  {
    name: 'dockerhub-password',
    value: 'SECRET',
    environment: 'KEEL_DOCKERHUB_PASSWORD',
    secret: true,
    user: 'dockerhub-username',
    group: REGISTRY,
    description: 'Password or access token there',
  },
  {
    name: 'dockerhub-repository',
    value: 'REPOSITORY',
    defaultNote: 'the user name with /keel-pkg',
    group: REGISTRY,
    description: 'Repository that receives the package, with a host where it is not on Docker Hub',
  },
  {
    name: 'dockerhub-form',
    value: 'image|artifact',
    default: 'image',
    group: REGISTRY,
    description: 'As an image that docker can run to copy the package out, or as an OCI artifact for oras',
  },
  {
    name: 'release-tag',
    value: 'TAG',
    defaultNote: 'kube- and the version of the package',
    group: GITHUB,
    description: 'Tag of the release that receives the package; it is made if there is none',
  },
  {
    name: 'release-repository',
    value: 'OWNER/NAME',
    defaultNote: 'the one that the workflow runs in',
    environment: 'GITHUB_REPOSITORY',
    group: GITHUB,
    description: 'Repository on GitHub that the release belongs to',
  },
  {
    name: 'github-token',
    value: 'TOKEN',
    environment: 'KEEL_GITHUB_TOKEN',
    otherEnvironment: 'GITHUB_TOKEN',
    secret: true,
    group: GITHUB,
    description: 'Token that may write contents of that repository; GITHUB_TOKEN is read as well',
  },
] as const satisfies readonly Flag[];

const PUSH_TABLE = [
  {
    name: 'pkg-uri',
    value: 'FILE',
    group: WHERE,
    description: 'Package to publish: a path or a file:// address',
  },
  {
    name: 'insecure-registry',
    value: 'HOST',
    repeatable: true,
    group: REGISTRY,
    description: 'Registry that is spoken to over plain HTTP',
  },
  {
    name: 'ca-file',
    value: 'FILE',
    group: REGISTRY,
    description: 'PEM file of certificate authorities to trust besides the usual ones, for registries',
  },
  {
    name: 'command-timeout',
    value: 'DURATION',
    default: '0',
    defaultNote: '0 = no limit',
    group: RUN,
    description: 'Time for the whole command; the next one goes on from where it stopped',
  },
  {
    name: 'retry',
    value: 'N',
    default: '5',
    group: RUN,
    description: 'Attempts at each request',
  },
  {
    name: 'retry-interval',
    value: 'DURATION',
    default: '5s',
    group: RUN,
    description: 'Pause before the second attempt; it grows from there',
  },
  {
    name: 'json',
    commandLineOnly: true,
    group: RUN,
    description: 'Print where the package is as JSON on standard output, and all else on standard error',
  },
] as const satisfies readonly Flag[];

export type PublishFlagName = (typeof PUBLISH_TABLE)[number]['name'];
export type PushFlagName = PublishFlagName | (typeof PUSH_TABLE)[number]['name'];

/** The flags that say where a package goes, which `packer push` and action-pack share. */
export const PUBLISH_FLAGS: readonly Flag<PublishFlagName>[] = PUBLISH_TABLE;

const [PACKAGE_FLAG, INSECURE_FLAG, AUTHORITIES_FLAG, ...RUN_FLAGS] = PUSH_TABLE;
const REGISTRY_END = PUBLISH_TABLE.findLastIndex(({ group }) => group === REGISTRY) + 1;

/** The flags of `packer push`. */
export const PUSH_FLAGS: readonly Flag<PushFlagName>[] = [
  PACKAGE_FLAG,
  ...PUBLISH_TABLE.slice(0, REGISTRY_END),
  INSECURE_FLAG,
  AUTHORITIES_FLAG,
  ...PUBLISH_TABLE.slice(REGISTRY_END),
  ...RUN_FLAGS,
];
