import type qiniu from 'qiniu';
import { z } from 'zod';
import { type AttemptPolicy, attempt } from '../lib/attempts.ts';
import { Failure } from '../lib/failure.ts';
import { type HttpAnswer, type HttpClient, readBody } from '../lib/http.ts';
import { HttpFailure } from '../lib/http-failure.ts';
import { withinSignal } from '../lib/interruption.ts';
import { AgentPool } from '../lib/proxy.ts';
import { explainKodoAnswer, KodoRefusal } from './kodo-refusal.ts';
import type { Zone } from './zone.ts';

/** Whose bucket it is and where it lives. */
export interface KodoAccess {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  /** Undefined has it asked for. */
  readonly zone: Zone | undefined;
  /** A Kodo that is not Qiniu's own: the address of its region service. */
  readonly endpoint: URL | undefined;
  readonly attempts: AttemptPolicy;
}

/** An object as Kodo describes it. */
export interface KodoObject {
  readonly hash: string;
  readonly size: number;
}

interface KodoHosts {
  readonly upload: readonly URL[];
  readonly objects: readonly URL[];
  readonly buckets: readonly URL[];
}

const REGION_SERVICES = ['uc.qiniuapi.com', 'kodo-config.qiniuapi.com', 'uc.qbox.me'];
/** Of each request of its own: a long upload asks for a new token for each part. */
const TOKEN_LIFETIME_SECONDS = 3600;
const REGION_QUERY_LIMIT = 30_000;
const ANSWER_LIMIT = 4 * 1024 * 1024;

const errorShape = z.object({ error: z.string() }).catch({ error: '' });
const statShape = z.object({ hash: z.string(), fsize: z.number() });

/** One bucket of Kodo: its hosts and tokens, from the `qiniu` package, and what is asked about its objects. */
export class KodoService {
  readonly bucket: string;
  readonly #access: KodoAccess;
  readonly #sdk: typeof qiniu;
  readonly #http: HttpClient;
  readonly #hosts: KodoHosts;
  readonly #mac: qiniu.auth.digest.Mac;
  // What answered last is asked first; hosts that were cut off stay at the end.
  #preferred = 0;

  private constructor(access: KodoAccess, sdk: typeof qiniu, http: HttpClient, hosts: KodoHosts) {
    this.bucket = access.bucket;
    this.#access = access;
    this.#sdk = sdk;
    this.#http = http;
    this.#hosts = hosts;
    this.#mac = new sdk.auth.digest.Mac(access.accessKey, access.secretKey);
  }

  /** Finds the hosts of a bucket. Throws `KodoRefusal`, or `UNREACHABLE` when no region service answers. */
  static async open(access: KodoAccess, http: HttpClient, signal: AbortSignal): Promise<KodoService> {
    const { default: sdk } = await import('qiniu');
    const region =
      access.zone !== undefined && access.endpoint === undefined
        ? sdk.httpc.Region.fromRegionId(access.zone, { preferredScheme: 'https' })
        : await attempt({ policy: access.attempts, signal, isTransient }, () =>
            discoverRegion(sdk, access, signal),
          );
    const { up = [], rs = [], uc = [] } = region.services;
    const urls = (endpoints: readonly qiniu.httpc.Endpoint[]): URL[] =>
      endpoints.map((endpoint) => new URL(endpoint.getValue()));
    return new KodoService(access, sdk, http, { upload: urls(up), objects: urls(rs), buckets: urls(uc) });
  }

  /** Gives a token that allows one object of that size under `key`; `replace` lets it take another's place. */
  uploadToken(key: string, size: number, replace: boolean): string {
    const scope = `${this.bucket}:${key}`;
    const options = { scope, expires: TOKEN_LIFETIME_SECONDS, fsizeLimit: size, insertOnly: replace ? 0 : 1 };
    return new this.#sdk.rs.PutPolicy(options).uploadToken(this.#mac);
  }

  /** Gives what the bucket holds under a key, or undefined. Throws `KodoRefusal`. */
  async stat(key: string, signal: AbortSignal): Promise<KodoObject | undefined> {
    const path = `/stat/${this.#sdk.util.encodedEntry(this.bucket, key)}`;
    try {
      const found = statShape.parse(await this.#manage(this.#hosts.objects, path, key, signal));
      return { hash: found.hash, size: found.fsize };
    } catch (error) {
      if (error instanceof KodoRefusal && error.code === 'ABSENT') return undefined;
      throw error;
    }
  }

  /** Gives the names under which the bucket can be downloaded from; none where the service does not tell. */
  async domains(signal: AbortSignal): Promise<readonly string[]> {
    try {
      const path = `/v2/domains?tbl=${encodeURIComponent(this.bucket)}`;
      return z.array(z.string()).parse(await this.#manage(this.#hosts.buckets, path, this.bucket, signal));
    } catch {
      signal.throwIfAborted();
      return [];
    }
  }

  /** Sends a request to an upload host, and gives the JSON that it answers. Throws `KodoRefusal`. */
  upload(
    request: {
      method: string;
      path: string;
      token: string;
      key: string;
      type?: string;
      md5?: string;
      body?: Buffer;
    },
    signal: AbortSignal,
    onRetry?: (error: unknown) => void,
  ): Promise<unknown> {
    const { method, path, token, key, body } = request;
    const headers = {
      Authorization: `UpToken ${token}`,
      'Content-Length': String(body?.length ?? 0),
      ...(request.type === undefined ? {} : { 'Content-Type': request.type }),
      ...(request.md5 === undefined ? {} : { 'Content-MD5': request.md5 }),
    };
    return this.#ask(this.#hosts.upload, key, signal, onRetry, (url) =>
      this.#http.send({
        method,
        url: new URL(path, url),
        headers,
        ...(body === undefined ? {} : { body }),
        signal,
      }),
    );
  }

  #manage(hosts: readonly URL[], path: string, key: string, signal: AbortSignal): Promise<unknown> {
    const type = 'application/x-www-form-urlencoded';
    return this.#ask(hosts, key, signal, undefined, (host) => {
      const url = new URL(path, host);
      const dated = { 'X-Qiniu-Date': this.#sdk.util.formatDateUTC(new Date(), 'YYYYMMDDTHHmmssZ') };
      const sign = this.#sdk.util.generateAccessTokenV2;
      const headers = {
        ...dated,
        'Content-Type': type,
        Authorization: sign(this.#mac, url.href, 'GET', type, undefined, dated),
      };
      return this.#http.send({ method: 'GET', url, headers, signal });
    });
  }

  #ask(
    hosts: readonly URL[],
    key: string,
    signal: AbortSignal,
    onRetry: ((error: unknown) => void) | undefined,
    send: (host: URL) => Promise<HttpAnswer>,
  ): Promise<unknown> {
    const options = { policy: this.#access.attempts, signal, isTransient };
    return attempt(onRetry === undefined ? options : { ...options, onRetry }, async () => {
      const preferred = this.#preferred;
      const host = hosts[preferred % hosts.length];
      if (host === undefined) throw noHosts(this.bucket);
      try {
        return await this.#read(await send(host), key);
      } catch (error) {
        // Of many requests that fail together only the first moves on to the next host.
        if (error instanceof HttpFailure && this.#preferred === preferred) this.#preferred += 1;
        throw error;
      }
    });
  }

  async #read(answer: HttpAnswer, key: string): Promise<unknown> {
    const text = (await readBody(answer, ANSWER_LIMIT))?.toString('utf8') ?? '';
    const json = parseJson(text);
    if (answer.status === 200) return json;
    throw explainKodoAnswer(answer.status, errorShape.parse(json).error, this.bucket, key);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Tells whether a request to Kodo could go well a moment later. */
export function isTransient(error: unknown): boolean {
  return (error instanceof HttpFailure || error instanceof KodoRefusal) && error.transient;
}

function noHosts(bucket: string): Failure<'UNREACHABLE'> {
  return new Failure({
    code: 'UNREACHABLE',
    about: `bucket ${bucket}`,
    message: 'its region names no hosts for this',
    hint: 'set --zone',
  });
}

async function discoverRegion(
  sdk: typeof qiniu,
  access: KodoAccess,
  signal: AbortSignal,
): Promise<qiniu.httpc.Region> {
  const { endpoint, bucket } = access;
  const scheme = endpoint?.protocol === 'http:' ? 'http' : 'https';
  const hosts = endpoint === undefined ? REGION_SERVICES : [endpoint.host];
  const endpoints = hosts.map((host) => new sdk.httpc.Endpoint(host, { defaultScheme: scheme }));
  // The package knows no proxy (whose agents are plain http.Agent by their types), hence ours; and its default,
  // a cache of regions, would leave the access key in a file under /tmp.
  const agents = new AgentPool(undefined);
  const agent = agents.agentFor(new URL(`${scheme}://${hosts[0] ?? ''}`));
  if (scheme === 'http') sdk.rpc.qnHttpClient.httpAgent = agent;
  else Object.assign(sdk.rpc.qnHttpClient, { httpsAgent: agent });
  const provider = new sdk.httpc.QueryRegionsProvider({
    accessKey: access.accessKey,
    bucketName: bucket,
    endpointsProvider: new sdk.httpc.StaticEndpointsProvider(endpoints),
    preferredScheme: scheme,
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(REGION_QUERY_LIMIT)]);
  try {
    const [region] = await withinSignal(provider.getRegions(), limit);
    if (region === undefined) throw noHosts(bucket);
    return region;
  } catch (error) {
    signal.throwIfAborted();
    throw explainDiscovery(error, bucket, hosts[0] ?? '');
  } finally {
    agents.close();
  }
}

function explainDiscovery(error: unknown, bucket: string, host: string): Error {
  const text = error instanceof Error ? error.message : String(error);
  const status = /Status Code (\d{3}), Body (.*)$/s.exec(text);
  if (status !== null) {
    const said = errorShape.parse(parseJson(status[2] ?? '')).error;
    return explainKodoAnswer(Number(status[1]), said, bucket, bucket);
  }
  return new Failure({
    code: 'UNREACHABLE',
    about: host,
    message: `the zone of bucket ${bucket} could not be found (${text.split('\n')[0]})`,
    hint: 'set --zone, so that it need not be asked for',
    cause: error,
  });
}
