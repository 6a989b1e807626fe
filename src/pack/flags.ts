import { LIMIT_FLAGS, PACE, RETRY_FLAGS, trustFlags } from '../config/flags/connection-flags.ts';
import type { Flag } from '../config/flags/flag.ts';
import { loginsFlag } from '../config/flags/registry-logins.ts';
import { SIGNATURE_FLAGS } from '../config/flags/signature-flags.ts';

const WHAT = 'What is packed';
const IMAGES = 'Where images come from';
const FOLDERS = 'Where files go';
const HOW = 'How it is packed';

const TABLE = [
  {
    name: 'version-config',
    value: 'FILE',
    default: 'versions.json',
    group: WHAT,
    description: 'File that says which images and components go into the package',
  },
  {
    name: 'kube-version',
    value: 'VERSION',
    defaultNote: 'what the file says',
    group: WHAT,
    description:
      'Version of Kubernetes, such as 1.37.1; it sets kube-* images, kubelet, kubectl, kubeadm and each "auto"',
  },
  {
    name: 'arch',
    value: 'ARCH',
    defaultNote: 'what the file says, else amd64',
    group: WHAT,
    description: 'Architecture: amd64, arm64, ppc64le or s390x',
  },
  {
    name: 'beta',
    value: 'SUFFIX',
    group: WHAT,
    description: 'Ending of the name of a package that is not meant for everyone yet; true means beta',
  },
  {
    name: 'package',
    value: 'DIR',
    group: WHAT,
    description:
      'Folder whose files go into the package besides, or in place of, those that packer brings along',
  },
  {
    name: 'image-source',
    value: 'SOURCE',
    refusesEmpty: true,
    defaultNote: 'registry and namespace as below',
    group: IMAGES,
    description: 'Mirror such as registry.example.com/kube, or upstream for each image from its own registry',
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
    description: 'Namespace there; "/" for none',
  },
  {
    name: 'username',
    short: 'u',
    value: 'NAME',
    environment: 'KEEL_USERNAME',
    group: IMAGES,
    description:
      'User name for the registry to pull from; without one, what docker login or podman login stored is used',
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
    description: 'PEM file of certificate authorities to trust besides the usual ones',
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
    description: 'One layout that all images share, or one tar an image as docker save writes it',
  },
  {
    name: 'lock',
    value: 'FILE',
    group: HOW,
    description:
      'Write digests and sums to this file; where it exists, pack exactly those or say what changed',
  },
  {
    name: 'dry-run',
    group: HOW,
    description: 'Tell what would be fetched, from where and how it is checked, and fetch nothing',
  },
  ...SIGNATURE_FLAGS,
  ...LIMIT_FLAGS,
  {
    name: 'command-timeout',
    value: 'DURATION',
    default: '0',
    defaultNote: '0 = no limit',
    group: PACE,
    description: 'Time for the whole command; the next one goes on from what is there',
  },
  ...RETRY_FLAGS,
  {
    name: 'json',
    commandLineOnly: true,
    group: HOW,
    description: 'Print the result as JSON on standard output, and all else on standard error',
  },
] as const satisfies readonly Flag[];

export type PackFlagName = (typeof TABLE)[number]['name'];

/** The flags of `packer`, which are inputs of action-pack. */
export const PACK_FLAGS: readonly Flag<PackFlagName>[] = TABLE;
