import type { FlagReader } from '../../config/flags/flag-reader.ts';
import { asIs, malformed } from '../../config/flags/flag-value.ts';
import { neededFlag } from '../contract/needed-flag.ts';
import type { OpenTarget, TargetFlag, TargetKind } from '../contract/target-kind.ts';
import { parseZone } from './kodo-region.ts';
import { QiniuTarget } from './qiniu-target.ts';

const FLAGS = [
  {
    name: 'access-key',
    short: 'k',
    value: 'KEY',
    environment: 'KEEL_ACCESS_KEY',
    secret: true,
    description: 'Access key of the Qiniu account',
  },
  {
    name: 'secret-key',
    short: 's',
    value: 'SECRET',
    environment: 'KEEL_SECRET_KEY',
    secret: true,
    description: 'Secret key of the Qiniu account',
  },
  {
    name: 'bucket',
    short: 'b',
    value: 'NAME',
    default: 'keel',
    description: 'Bucket that receives the package',
  },
  {
    name: 'zone',
    value: 'ZONE',
    defaultNote: 'looked up at Qiniu',
    description: 'Zone of the bucket, such as z0, huanan or na0; the name keel means z0, Huadong',
  },
  {
    name: 'qiniu-endpoint',
    value: 'URL',
    refusesEmpty: true,
    defaultNote: "Qiniu's own",
    environment: 'KEEL_QINIU_ENDPOINT',
    description: 'Address of the region service of another Kodo installation, such as a private cloud',
  },
] as const satisfies readonly TargetFlag[];

type QiniuFlagName = (typeof FLAGS)[number]['name'];

/** Buckets of Qiniu Kodo. */
export const QINIU: TargetKind<'qiniu', QiniuFlagName> = {
  word: 'qiniu',
  direction: 'to Qiniu',
  group: 'Qiniu',
  flags: FLAGS,
  read: readQiniu,
};

const KEYS_HINT = 'the Qiniu console shows both keys under key management';

function readQiniu(flags: FlagReader<QiniuFlagName>): OpenTarget | undefined {
  const accessKey = neededFlag(flags, 'access-key', {
    target: 'Qiniu',
    hint: `set it or KEEL_ACCESS_KEY; ${KEYS_HINT}`,
  });
  const secretKey = neededFlag(flags, 'secret-key', {
    target: 'Qiniu',
    hint: `set it or KEEL_SECRET_KEY; ${KEYS_HINT}`,
  });
  const bucket = flags.required('bucket', asIs);
  const zone = flags.optional('zone', parseZone);
  const endpoint = flags.optional('qiniu-endpoint', parseAddress);
  if (accessKey === undefined || secretKey === undefined) return undefined;
  return ({ retry, overwrite, trust }) =>
    new QiniuTarget({ accessKey, secretKey, bucket, zone, endpoint, retry, overwrite, trust });
}

function parseAddress(text: string, about: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw malformed(
    about,
    text,
    'is not an address',
    'write it with its scheme, such as https://uc.example.com',
  );
}
