import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { type HttpClient, readBody } from '../../lib/http/http.ts';
import { type HttpFailure, isConnectionFailure } from '../../lib/http/http-failure.ts';
import { followAddress } from '../../lib/http/redirect.ts';
import { retryTime } from '../../lib/http/transient-status.ts';
import { parseJson } from '../../lib/json.ts';
import type { RetryPolicy } from '../../lib/retry.ts';
import { listOf } from '../../lib/zero-value.ts';
import { understand } from '../contract/answer-shape.ts';
import { explainKodoAnswer, parseKodoError } from './kodo-refusal.ts';

/** The id of a region, as it appears in the names of its hosts. */
type Zone = 'z0' | 'cn-east-2' | 'z1' | 'z2' | 'na0' | 'as0' | 'ap-southeast-2' | 'ap-southeast-3';

/** A bucket: its account, and where it is. */
export interface KodoAccess {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  /** If undefined, packer asks Qiniu for it. */
  readonly zone: Zone | undefined;
  /** The region service of a Kodo other than Qiniu's own. */
  readonly endpoint: URL | undefined;
  readonly retry: RetryPolicy;
}

/** The hosts of a region, each kind of them in the order in which to ask. */
export interface KodoHosts {
  readonly upload: readonly URL[];
  readonly objects: readonly URL[];
  readonly buckets: readonly URL[];
}

// Users of keel-pkg know the zone of its own bucket as "keel".
const ZONES: ReadonlyMap<string, Zone> = new Map([
  ['keel', 'z0'],
  ['huadong', 'z0'],
  ['z0', 'z0'],
  ['cn-east-1', 'z0'],
  ['huadong2', 'cn-east-2'],
  ['cn-east-2', 'cn-east-2'],
  ['huabei', 'z1'],
  ['z1', 'z1'],
  ['cn-north-1', 'z1'],
  ['huanan', 'z2'],
  ['z2', 'z2'],
  ['cn-south-1', 'z2'],
  ['beimei', 'na0'],
  ['na0', 'na0'],
  ['us-north-1', 'na0'],
  ['singapore', 'as0'],
  ['xinjiapo', 'as0'],
  ['as0', 'as0'],
  ['ap-southeast-1', 'as0'],
  ['hanoi', 'ap-southeast-2'],
  ['ap-southeast-2', 'ap-southeast-2'],
  ['ap-southeast-3', 'ap-southeast-3'],
]);

const REGION_SERVICES = ['uc.qiniuapi.com', 'kodo-config.qiniuapi.com', 'uc.qbox.me'].map(
  (host) => new URL(`https://${host}`),
);
const ANSWER_LIMIT = 1024 * 1024;

const serviceShape = z.object({ domains: listOf(z.string()) });
const queryShape = z.object({
  hosts: listOf(z.object({ up: serviceShape, rs: serviceShape, uc: serviceShape })),
});

/** Returns the id of a zone, given by its id, its S3 name or its common name. Throws `ZONE_UNKNOWN`. */
export function parseZone(text: string, about: string): Zone {
  const zone = ZONES.get(text.trim().toLowerCase().replace('zone_', '').replaceAll('_', '-'));
  if (zone !== undefined) return zone;
  throw new Failure({
    code: 'ZONE_UNKNOWN',
    about,
    message: `"${text.slice(0, 100)}" is not a zone of Qiniu`,
    hint: `omit it to look it up, or write one of ${[...ZONES.keys()].join(', ')}`,
  });
}

/**
 * Asks Qiniu where a bucket is and returns its hosts. Throws `HttpFailure`, that of the first service if none answers, or
 * `REDIRECT_REFUSED` if a host leads inward.
 */
export async function discoverHosts(
  access: KodoAccess,
  http: HttpClient,
  signal: AbortSignal,
): Promise<KodoHosts> {
  const { endpoint, bucket } = access;
  const services = endpoint === undefined ? REGION_SERVICES : [new URL(endpoint.origin)];
  const failures: HttpFailure[] = [];
  for (const service of services) {
    try {
      return await askForHosts(service, access, { http, signal });
    } catch (error) {
      if (!isConnectionFailure(error)) throw error;
      failures.push(explainSilence(error, access));
    }
  }
  throw failures[0] ?? noHosts(bucket);
}

async function askForHosts(
  service: URL,
  { accessKey, bucket }: KodoAccess,
  { http, signal }: { readonly http: HttpClient; readonly signal: AbortSignal },
): Promise<KodoHosts> {
  const url = new URL('/v4/query', service);
  url.searchParams.set('ak', accessKey);
  url.searchParams.set('bucket', bucket);
  const answer = await http.send({ method: 'GET', url, headers: {}, signal });
  const text = (await readBody(answer, ANSWER_LIMIT))?.toString('utf8') ?? '';
  if (answer.status !== 200) {
    const { status } = answer;
    const error = parseKodoError(text);
    throw explainKodoAnswer({ status, error, bucket, key: bucket, retryAt: retryTime(answer, Date.now()) });
  }
  const [region] = understand(queryShape, parseJson(text), 'Qiniu').hosts;
  if (region === undefined) throw noHosts(bucket);
  const urls = ({ domains }: { readonly domains: readonly string[] }): URL[] =>
    domains
      .filter((domain) => URL.canParse(`${service.protocol}//${domain}`))
      .map((domain) => followAddress(service, `${service.protocol}//${domain}`, service));
  return { upload: urls(region.up), objects: urls(region.rs), buckets: urls(region.uc) };
}

/** Returns the failure of a region service that did not answer. */
function explainSilence(error: HttpFailure, { bucket, endpoint }: KodoAccess): HttpFailure {
  const message = `cannot find the zone of bucket ${bucket} (${error.message})`;
  const hint =
    endpoint === undefined
      ? 'set --zone, so that packer need not look it up'
      : (error.hint ?? 'check --qiniu-endpoint');
  const isTrust = error.code === 'TLS_REFUSED' || error.code === 'PROXY_REFUSED';
  return error.with({ message, hint: isTrust ? error.hint : hint });
}

/** Returns the failure for a region that names no hosts for a service. */
export function noHosts(bucket: string): Failure<'UNREACHABLE'> {
  return new Failure({
    code: 'UNREACHABLE',
    about: `bucket ${bucket}`,
    message: 'its region lists no hosts for this request',
    hint: 'set --zone',
  });
}
