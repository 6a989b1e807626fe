import { LIMIT_FLAGS, PACE, RETRY_FLAGS, trustFlags } from '../config/flags/connection-flags.ts';
import type { Flag } from '../config/flags/flag.ts';
import { GITHUB_TOKEN_FLAG } from '../config/flags/github-token-flag.ts';
import { imagesFlag } from '../config/flags/given-images-flag.ts';
import { loginsFlag } from '../config/flags/registry-logins.ts';
import { SIGNATURE_FLAGS } from '../config/flags/signature-flags.ts';
import { upstreamMirrorFlag } from '../config/flags/upstream-mirror-flag.ts';

const WHAT = 'Package contents';
const IMAGES = 'Image source';
const FOLDERS = 'Folders';
const HOW = 'Packing';

const TABLE = [
  {
    name: 'version-config',
    value: 'FILE',
    default: 'versions.json',
    group: WHAT,
    description: 'File that lists the images and components of the package',
  },
  imagesFlag(WHAT, 'Pack these images too'),
  {
    name: 'kube-version',
    value: 'VERSION',
    defaultNote: 'from the file',
    group: WHAT,
    description:
      'Version of Kubernetes, such as 1.37.1, or a word for one: 1.37 for its newest release, latest, or latest-1 for the previous minor; sets the version of kube-* images, kubelet, kubectl, kubeadm and each "auto"',
  },
  {
    name: 'arch',
    value: 'ARCH',
    defaultNote: 'from the file, else amd64',
    group: WHAT,
    description: 'Architecture: amd64, arm64, ppc64le or s390x',
  },
  {
    name: 'beta',
    value: 'SUFFIX',
    group: WHAT,
    description: 'Suffix for the file name of a pre-release, such as beta or rc1; true means beta',
  },
  {
    name: 'package',
    value: 'DIR',
    group: WHAT,
    description: 'Folder with files to add to the package; they replace built-in files of the same name',
  },
  {
    ...GITHUB_TOKEN_FLAG,
    inputOnly: true,
    group: WHAT,
    description:
      'Token for requests to api.github.com: for digests of manifests, and for files that other GitHub addresses refuse; GITHUB_TOKEN is read too; without a token, GitHub allows about 60 requests an hour',
  },
  upstreamMirrorFlag(WHAT),
  {
    name: 'image-source',
    value: 'SOURCE',
    refusesEmpty: true,
    defaultNote: 'set by registry and namespace',
    group: IMAGES,
    description:
      'Mirror to pull images from, such as registry.example.com/kube, or upstream to pull each image from its own registry',
  },
  {
    name: 'registry',
    value: 'HOST',
    refusesEmpty: true,
    default: 'registry.cn-hangzhou.aliyuncs.com',
    group: IMAGES,
    description: 'Registry to pull from',
  },
  {
    name: 'namespace',
    value: 'PATH',
    default: 'keel',
    group: IMAGES,
    description: 'Namespace in the registry to pull from; "/" for none',
  },
  {
    name: 'username',
    short: 'u',
    value: 'NAME',
    environment: 'KEEL_USERNAME',
    group: IMAGES,
    description:
      'User name for the registry to pull from; without one, packer uses the login stored by docker login or podman login',
  },
  {
    name: 'password',
    short: 'p',
    value: 'SECRET',
    environment: 'KEEL_PASSWORD',
    secret: true,
    user: 'username',
    group: IMAGES,
    description: 'Password for the registry to pull from',
  },
  {
    name: 'password-stdin',
    commandLineOnly: true,
    group: IMAGES,
    description: 'Read the password from standard input',
  },
  loginsFlag(IMAGES),
  ...trustFlags(IMAGES),
  {
    name: 'ca-file',
    value: 'FILE',
    group: IMAGES,
    description: 'PEM file with certificate authorities to trust in addition to the usual ones',
  },
  {
    name: 'output',
    value: 'DIR',
    default: '.',
    group: FOLDERS,
    description: 'Folder for the package',
  },
  {
    name: 'image-output',
    short: 'o',
    value: 'DIR',
    default: '/var/run/keel/pack/images',
    group: FOLDERS,
    description: 'Folder for the layers of images, kept for the next run',
  },
  {
    name: 'download-output',
    short: 'd',
    value: 'DIR',
    default: '/var/run/keel/pack',
    group: FOLDERS,
    description: 'Folder for the downloads of components, kept for the next run',
  },
  {
    name: 'image-format',
    value: 'oci|docker-archive',
    default: 'oci',
    group: HOW,
    description:
      'oci: one layout shared by all images; docker-archive: one tar for each image, as docker save writes it',
  },
  {
    name: 'lock',
    value: 'FILE',
    group: HOW,
    description:
      'Lock file with digests and checksums; packer writes it if it does not exist, else packs exactly what it lists or reports what changed',
  },
  {
    name: 'dry-run',
    group: HOW,
    description: 'Print what packer would fetch, from where, and how it would verify it; fetch nothing',
  },
  ...SIGNATURE_FLAGS,
  ...LIMIT_FLAGS,
  {
    name: 'command-timeout',
    value: 'DURATION',
    default: '0',
    defaultNote: '0 = no limit',
    group: PACE,
    description: 'Time limit for the whole command; the next run continues with what is already fetched',
  },
  ...RETRY_FLAGS,
  {
    name: 'json',
    commandLineOnly: true,
    group: HOW,
    description: 'Print the result as JSON on standard output, and everything else on standard error',
  },
] as const satisfies readonly Flag[];

export type PackFlagName = (typeof TABLE)[number]['name'];

/** The flags of `packer`, which are inputs of action-pack. */
export const PACK_FLAGS: readonly Flag<PackFlagName>[] = TABLE;
