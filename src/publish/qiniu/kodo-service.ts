import type qiniu from 'qiniu';
import { z } from 'zod';
import { failureCode } from '../../lib/failure.ts';
import { type HttpAnswer, type HttpClient, readBody } from '../../lib/http/http.ts';
import { isConnectionFailure } from '../../lib/http/http-failure.ts';
import { followAddress } from '../../lib/http/redirect.ts';
import { retryTime } from '../../lib/http/transient-status.ts';
import { parseJson } from '../../lib/json.ts';
import { retry } from '../../lib/retry.ts';
import { listOf } from '../../lib/zero-value.ts';
import { understand } from '../contract/answer-shape.ts';
import { explainKodoAnswer, parseKodoError } from './kodo-refusal.ts';
import { discoverHosts, type KodoAccess, type KodoHosts, noHosts } from './kodo-region.ts';
import { managementSignature } from './management-signature.ts';

/** An object as Kodo describes it. */
interface KodoObject {
  readonly hash: string;
  readonly size: number;
}

/** A request about the content of a bucket, such as one part of an upload. */
export interface UploadRequest {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly key: string;
  readonly body?: Buffer | undefined;
  readonly type?: string | undefined;
  /** The MD5 of the body, in hexadecimal. */
  readonly md5?: string | undefined;
}

/** A request to the management API, which is signed as a whole. */
interface ManagementRequest {
  readonly method: 'GET' | 'POST';
  readonly hosts: readonly URL[];
  readonly path: string;
  /** The key or bucket, for errors. */
  readonly about: string;
}

/** When to stop attempting a request. `onRetry` is called for each failed attempt that will be repeated. */
export interface Attempts {
  readonly signal: AbortSignal;
  readonly onRetry?: ((error: unknown) => void) | undefined;
}

/** Long enough for one request: each part of an upload gets a token of its own. */
const TOKEN_LIFETIME_SECONDS = 3600;
/** A host, and maybe its port. Other characters would be more than a host in the command that packer prints. */
const DOMAIN = /^[a-z0-9][a-z0-9._-]*(?::\d{1,5})?$/i;
const ANSWER_LIMIT = 4 * 1024 * 1024;

const domainsShape = listOf(z.object({ domain: z.string() }));
const statShape = z.object({ hash: z.string(), fsize: z.number() });

/** One bucket of Kodo: signs and sends requests, with the `qiniu` package for the hosts of zones and for tokens. */
export class KodoService {
  readonly bucket: string;
  readonly #access: KodoAccess;
  readonly #sdk: typeof qiniu;
  readonly #http: HttpClient;
  readonly #hosts: KodoHosts;
  readonly #mac: qiniu.auth.digest.Mac;
  // The host that answered last is asked first.
  #preferred = 0;

  private constructor(
    access: KodoAccess,
    http: HttpClient,
    { sdk, hosts }: { sdk: typeof qiniu; hosts: KodoHosts },
  ) {
    this.bucket = access.bucket;
    this.#access = access;
    this.#sdk = sdk;
    this.#http = http;
    this.#hosts = hosts;
    this.#mac = new sdk.auth.digest.Mac(access.accessKey, access.secretKey);
  }

  /** Returns the service of a bucket, once its hosts are known. Throws `HttpFailure`. */
  static async open(access: KodoAccess, http: HttpClient, signal: AbortSignal): Promise<KodoService> {
    const { default: sdk } = await import(/* webpackMode: "eager" */ 'qiniu');
    const { zone, endpoint } = access;
    const hosts =
      zone !== undefined && endpoint === undefined
        ? knownHosts(sdk, zone)
        : await retry({ policy: access.retry, signal }, () => discoverHosts(access, http, signal));
    return new KodoService(access, http, { sdk, hosts });
  }

  /** Returns a token for uploading one object of `size` bytes as `key`; with `replace`, also over another object. */
  uploadToken(key: string, size: number, replace: boolean): string {
    const scope = `${this.bucket}:${key}`;
    const options = { scope, expires: TOKEN_LIFETIME_SECONDS, fsizeLimit: size, insertOnly: replace ? 0 : 1 };
    return new this.#sdk.rs.PutPolicy(options).uploadToken(this.#mac);
  }

  /** Returns the object of a key; undefined if there is none. Throws `HttpFailure`. */
  async stat(key: string, signal: AbortSignal): Promise<KodoObject | undefined> {
    const path = `/stat/${this.#sdk.util.encodedEntry(this.bucket, key)}`;
    const request = { method: 'GET', hosts: this.#hosts.objects, path, about: key } as const;
    try {
      const found = await this.#manage(statShape, request, signal);
      return { hash: found.hash, size: found.fsize };
    } catch (error) {
      if (failureCode(error) === 'ABSENT') return undefined;
      throw error;
    }
  }

  /** Returns the domains to download from, as addresses over HTTPS; none if the service does not say. */
  async domains(signal: AbortSignal): Promise<readonly URL[]> {
    const path = `/v3/domains?tbl=${encodeURIComponent(this.bucket)}`;
    const request = { method: 'POST', hosts: this.#hosts.buckets, path, about: this.bucket } as const;
    try {
      const domains = await this.#manage(domainsShape, request, signal);
      return domains.flatMap(({ domain }) => this.#domainAddress(domain) ?? []);
    } catch {
      signal.throwIfAborted();
      return [];
    }
  }

  /**
   * Returns the address of a domain; undefined for one that is not a host, is a wildcard, or leads to an internal
   * address.
   */
  #domainAddress(domain: string): URL | undefined {
    const [service] = this.#hosts.buckets;
    if (service === undefined || !DOMAIN.test(domain)) return undefined;
    try {
      return followAddress(service, `https://${domain}/`, service);
    } catch {
      return undefined;
    }
  }

  /** Returns the answer of an upload host to a request. Throws `HttpFailure` or `ANSWER_MALFORMED`. */
  upload<Shape extends z.ZodType>(
    shape: Shape,
    { method, path, token, key, body, type, md5 }: UploadRequest,
    attempts: Attempts,
  ): Promise<z.infer<Shape>> {
    const headers = {
      Authorization: `UpToken ${token}`,
      'Content-Length': String(body?.length ?? 0),
      ...(type === undefined ? {} : { 'Content-Type': type }),
      ...(md5 === undefined ? {} : { 'Content-MD5': md5 }),
    };
    const { signal } = attempts;
    // A POST makes Kodo join the parts of an upload.
    const awaited = method === 'POST' ? 'work' : 'answer';
    const send = (host: URL) =>
      this.#http.send({ method, url: new URL(path, host), headers, body, awaited, signal });
    return this.#ask(shape, { hosts: this.#hosts.upload, about: key, send }, attempts);
  }

  #manage<Shape extends z.ZodType>(
    shape: Shape,
    { method, hosts, path, about }: ManagementRequest,
    signal: AbortSignal,
  ): Promise<z.infer<Shape>> {
    const type = 'application/x-www-form-urlencoded';
    const send = (host: URL): Promise<HttpAnswer> => {
      const url = new URL(path, host);
      const date = this.#sdk.util.formatDateUTC(new Date(), 'YYYYMMDDTHHmmssZ');
      const headers = {
        'X-Qiniu-Date': date,
        'Content-Type': type,
        Authorization: managementSignature(this.#access, { method, url, type, date }),
      };
      return this.#http.send({ method, url, headers, signal });
    };
    return this.#ask(shape, { hosts, about, send }, { signal });
  }

  #ask<Shape extends z.ZodType>(
    shape: Shape,
    {
      hosts,
      about,
      send,
    }: { hosts: readonly URL[]; about: string; send: (host: URL) => Promise<HttpAnswer> },
    { signal, onRetry }: Attempts,
  ): Promise<z.infer<Shape>> {
    return retry({ policy: this.#access.retry, signal, onRetry }, async () => {
      const preferred = this.#preferred;
      const host = hosts[preferred % hosts.length];
      if (host === undefined) throw noHosts(this.bucket);
      try {
        return understand(shape, await this.#read(await send(host), about), 'Qiniu');
      } catch (error) {
        if (!isConnectionFailure(error)) throw error;
        // When many requests fail at once, only the first one moves on to the next host.
        if (this.#preferred === preferred) this.#preferred += 1;
        throw error.with({ message: `${error.message}; it serves bucket ${this.bucket}` });
      }
    });
  }

  async #read(answer: HttpAnswer, key: string): Promise<unknown> {
    const text = (await readBody(answer, ANSWER_LIMIT))?.toString('utf8') ?? '';
    if (answer.status === 200) return parseJson(text);
    const error = withoutSignatures(parseKodoError(text), this.#access.accessKey);
    const retryAt = retryTime(answer, Date.now());
    throw explainKodoAnswer({ status: answer.status, error, bucket: this.bucket, key, retryAt });
  }
}

function knownHosts(sdk: typeof qiniu, zone: string): KodoHosts {
  const {
    up = [],
    rs = [],
    uc = [],
  } = sdk.httpc.Region.fromRegionId(zone, { preferredScheme: 'https' }).services;
  const urls = (endpoints: readonly qiniu.httpc.Endpoint[]): URL[] =>
    endpoints.map((endpoint) => new URL(endpoint.getValue()));
  return { upload: urls(up), objects: urls(rs), buckets: urls(uc) };
}

/**
 * Removes signatures that a service repeats from a token. The access key is no secret, but a signature by the secret
 * key is.
 */
function withoutSignatures(text: string, accessKey: string): string {
  const [before = '', ...rest] = text.split(`${accessKey}:`);
  return [before, ...rest.map((piece) => piece.replace(/^[\w=:%-]+/, '***'))].join(`${accessKey}:`);
}
