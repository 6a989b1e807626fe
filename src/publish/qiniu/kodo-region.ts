import type qiniu from 'qiniu';
import { Failure } from '../../lib/failure.ts';
import type { HttpTimeouts } from '../../lib/http/http.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { AgentPool } from '../../lib/http/proxy.ts';
import type { RetryPolicy } from '../../lib/retry.ts';
import { withinSignal } from '../../lib/within-signal.ts';
import { explainKodoAnswer, parseKodoError } from './kodo-refusal.ts';

/** A region of Kodo under the id that its hosts carry. */
type Zone = 'z0' | 'cn-east-2' | 'z1' | 'z2' | 'na0' | 'as0' | 'ap-southeast-2' | 'ap-southeast-3';

/** Whose bucket it is and where it lives. */
export interface KodoAccess {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  /** Undefined has it asked for. */
  readonly zone: Zone | undefined;
  /** A Kodo that is not Qiniu's own: the address of its region service. */
  readonly endpoint: URL | undefined;
  readonly retry: RetryPolicy;
  /** Given by tests, whose patience is short. */
  readonly timeouts?: HttpTimeouts | undefined;
}

// "keel" is the name that users of keel-pkg know for the zone of its own bucket.
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

const REGION_SERVICES = ['uc.qiniuapi.com', 'kodo-config.qiniuapi.com', 'uc.qbox.me'];
const REGION_QUERY_LIMIT = 30_000;

/** Reads a zone by its id, its S3 name or the name that people call it by. Throws `ZONE_UNKNOWN`. */
export function parseZone(text: string, about: string): Zone {
  const zone = ZONES.get(text.trim().toLowerCase().replace('zone_', '').replaceAll('_', '-'));
  if (zone !== undefined) return zone;
  throw new Failure({
    code: 'ZONE_UNKNOWN',
    about,
    message: `"${text.slice(0, 100)}" is not a zone of Qiniu`,
    hint: `leave it out to have it found, or write one of ${[...ZONES.keys()].join(', ')}`,
  });
}

/**
 * Asks where a bucket lives, by the `qiniu` package. Throws `KodoRefusal`, or `UNREACHABLE` when no service answers.
 */
export async function discoverRegion(
  sdk: typeof qiniu,
  access: KodoAccess,
  signal: AbortSignal,
): Promise<qiniu.httpc.Region> {
  const { endpoint, bucket } = access;
  const scheme = endpoint?.protocol === 'http:' ? 'http' : 'https';
  const hosts = endpoint === undefined ? REGION_SERVICES : [endpoint.host];
  const endpoints = hosts.map((host) => new sdk.httpc.Endpoint(host, { defaultScheme: scheme }));
  // The package knows no proxy (whose agents are plain http.Agent by their types), hence ours; and its default,
  // a cache of regions, would leave the access key in a file under /tmp. The agent is the whole process's, so that it is
  // not closed while another query may be under way; an idle connection of it does not keep the process.
  const agents = new AgentPool(undefined);
  const agent = await agents.agentFor(new URL(`${scheme}://${hosts[0] ?? ''}`));
  if (scheme === 'http') sdk.rpc.qnHttpClient.httpAgent = agent;
  else Object.assign(sdk.rpc.qnHttpClient, { httpsAgent: agent });
  const provider = new sdk.httpc.QueryRegionsProvider({
    accessKey: access.accessKey,
    bucketName: bucket,
    endpointsProvider: new sdk.httpc.StaticEndpointsProvider(endpoints),
    preferredScheme: scheme,
  });
  const patience = access.timeouts?.firstByte ?? REGION_QUERY_LIMIT;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  try {
    const [region] = await withinSignal(provider.getRegions(), limit);
    if (region === undefined) throw noHosts(bucket);
    return region;
  } catch (error) {
    signal.throwIfAborted();
    throw explainDiscovery(error, bucket, hosts[0] ?? '');
  }
}

function explainDiscovery(error: unknown, bucket: string, host: string): Error {
  const text = error instanceof Error ? error.message : String(error);
  const status = /Status Code (\d{3}), Body (.*)$/s.exec(text);
  if (status !== null) {
    const error = parseKodoError(status[2] ?? '');
    return explainKodoAnswer({ status: Number(status[1]), error, bucket, key: bucket });
  }
  // What follows names the address, and with it the access key; for that reason it is no cause either.
  const told = text.split(/, (?:GET|POST) |\n/)[0] ?? '';
  const unknown = /getaddrinfo \w+ (\S+)/.exec(told)?.[1];
  const reason = unknown === undefined ? told : `there is no host ${unknown}`;
  const message = `the zone of bucket ${bucket} could not be found (${reason})`;
  const hint = 'set --zone, so that it need not be asked for';
  return new HttpFailure({
    code: 'UNREACHABLE',
    about: host,
    message,
    hint,
    transient: unknown === undefined,
  });
}

/** Returns the failure for a region that lacks a service. */
export function noHosts(bucket: string): Failure<'UNREACHABLE'> {
  return new Failure({
    code: 'UNREACHABLE',
    about: `bucket ${bucket}`,
    message: 'its region names no hosts for this',
    hint: 'set --zone',
  });
}
