import type qiniu from 'qiniu';
import { Failure } from '../../lib/failure.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { AgentPool } from '../../lib/http/proxy.ts';
import type { HttpTimeouts } from '../../lib/http/request-clock.ts';
import type { RetryPolicy } from '../../lib/retry.ts';
import { withinSignal } from '../../lib/within-signal.ts';
import { explainKodoAnswer, parseKodoError } from './kodo-refusal.ts';

/** The id of a region, as it appears in the names of its hosts. */
type Zone = 'z0' | 'cn-east-2' | 'z1' | 'z2' | 'na0' | 'as0' | 'ap-southeast-2' | 'ap-southeast-3';

/** A bucket: its account, and where it is. */
export interface KodoAccess {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  /** Qiniu is asked for it if undefined. */
  readonly zone: Zone | undefined;
  /** The region service of a Kodo other than Qiniu's own. */
  readonly endpoint: URL | undefined;
  readonly retry: RetryPolicy;
  /** Set by tests, which do not wait long. */
  readonly timeouts?: HttpTimeouts | undefined;
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

const REGION_SERVICES = ['uc.qiniuapi.com', 'kodo-config.qiniuapi.com', 'uc.qbox.me'];
const REGION_QUERY_LIMIT = 30_000;

/** Returns the id of a zone, given by its id, its S3 name or its common name. Throws `ZONE_UNKNOWN`. */
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

/** Asks Qiniu for the region of a bucket and returns it. Throws `HttpFailure`, `UNREACHABLE` if no service answers. */
export async function discoverRegion(
  sdk: typeof qiniu,
  access: KodoAccess,
  signal: AbortSignal,
): Promise<qiniu.httpc.Region> {
  const { endpoint, bucket } = access;
  const scheme = endpoint?.protocol === 'http:' ? 'http' : 'https';
  const hosts = endpoint === undefined ? REGION_SERVICES : [endpoint.host];
  const endpoints = hosts.map((host) => new sdk.httpc.Endpoint(host, { defaultScheme: scheme }));
  // The package does not support proxies, so it gets our agent. Its own provider would cache regions, with the access
  // key, in a file under /tmp.
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
  } finally {
    // The package goes on after our patience is over.
    agents.close();
  }
}

function explainDiscovery(error: unknown, bucket: string, host: string): Error {
  const text = error instanceof Error ? error.message : String(error);
  const status = /Status Code (\d{3}), Body (.*)$/s.exec(text);
  if (status !== null) {
    const error = parseKodoError(status[2] ?? '');
    return explainKodoAnswer({ status: Number(status[1]), error, bucket, key: bucket });
  }
  // The rest contains the address with the access key. For the same reason the error is not kept as the cause.
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

/** Returns the failure for a region that names no hosts for a service. */
export function noHosts(bucket: string): Failure<'UNREACHABLE'> {
  return new Failure({
    code: 'UNREACHABLE',
    about: `bucket ${bucket}`,
    message: 'its region names no hosts for this',
    hint: 'set --zone',
  });
}
