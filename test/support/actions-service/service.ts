import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { Artifacts } from './artifacts.ts';
import { type Blob, BlobStore, damaged } from './blob-store.ts';
import { type Answer, CacheEntries } from './cache-entries.ts';
import { type Call, type Fault, Faults } from './faults.ts';
import { type CacheScope, issueRuntimeToken, readCacheScopes } from './runtime-token.ts';

/** One request as it came in, for assertions. */
export interface JournalEntry {
  readonly call: Call | 'unknown';
  readonly method: string;
  /** The body of a Twirp call, parsed. */
  readonly request: unknown;
  readonly status: number;
  /** The `Authorization` that it brought. */
  readonly authorization: string | undefined;
}

/** Who a job is, as far as the service cares. */
export interface Job {
  readonly run?: string;
  readonly job?: string;
  /** Branches whose caches it sees, its own first; `refs/heads/main` with write access unless told. */
  readonly scopes?: readonly CacheScope[];
}

const CALLS: ReadonlyMap<string, Call> = new Map(
  (
    [
      'CreateCacheEntry',
      'FinalizeCacheEntryUpload',
      'GetCacheEntryDownloadURL',
      'CreateArtifact',
      'FinalizeArtifact',
      'ListArtifacts',
      'GetSignedArtifactURL',
      'DeleteArtifact',
    ] as const
  ).map((call) => [call, call]),
);

/**
 * A stand-in for the services behind GitHub's caches (v2, and the lookup of v1) and artifacts (v4) with their blob
 * storage, on loopback.
 * Everything is kept in memory, written to a journal, and can be disturbed by faults.
 */
export class ActionsService implements AsyncDisposable {
  readonly journal: JournalEntry[] = [];
  readonly faults = new Faults();
  readonly #blobs = new BlobStore();
  readonly #caches = new CacheEntries(this.#blobs);
  readonly #artifacts = new Artifacts(this.#blobs);
  readonly #server: Server;
  #port = 0;
  #advertised: string | undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // Not a 5xx: the toolkit would try those again and hide what is wrong with the stand-in.
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ code: 'malformed', msg: String(error) }));
      });
    });
  }

  static async start(): Promise<ActionsService> {
    const service = new ActionsService();
    await service.listen();
    return service;
  }

  get origin(): string {
    return this.#advertised ?? `http://127.0.0.1:${this.#port}`;
  }

  /** Makes jobs and addresses in answers lead to another origin, such as that of a gateway in front. */
  advertise(url: string): void {
    this.#advertised = url;
  }

  get caches(): CacheEntries['entries'] {
    return this.#caches.entries;
  }

  /** Puts an entry into the cache, as the toolkit on this machine would call it. */
  keep(key: string, paths: readonly string[], bytes: Buffer, compression = 'zstd-without-long'): void {
    const version = createHash('sha256')
      .update([...paths, compression, '1.0'].join('|'))
      .digest('hex');
    this.#caches.keep({ key, version, branch: 'refs/heads/main', bytes });
  }

  get artifacts(): Artifacts['artifacts'] {
    return this.#artifacts.artifacts;
  }

  /** Returns the variables by which a runner tells a job where the services are. */
  environment(job: Job = {}): Record<string, string> {
    const scopes = job.scopes ?? [{ branch: 'refs/heads/main', access: 'write' }];
    return {
      ACTIONS_CACHE_SERVICE_V2: 'True',
      ACTIONS_RESULTS_URL: `${this.origin}/`,
      ACTIONS_RUNTIME_TOKEN: issueRuntimeToken(job.run ?? 'run-1', job.job ?? 'job-1', scopes),
    };
  }

  /** Returns the variables by which a runner of GitHub Enterprise Server tells a job where the cache is. */
  oldEnvironment(): Record<string, string> {
    const { ACTIONS_RUNTIME_TOKEN = '' } = this.environment();
    return {
      ACTIONS_CACHE_SERVICE_V2: 'True',
      ACTIONS_CACHE_URL: `${this.origin}/`,
      ACTIONS_RESULTS_URL: '',
      ACTIONS_RUNTIME_TOKEN,
      GITHUB_SERVER_URL: 'https://github.example.com',
    };
  }

  /** Returns what nobody but a job may see: its token, and what signs the addresses of blobs. */
  secrets(job: Job = {}): Record<string, string> {
    const { ACTIONS_RUNTIME_TOKEN: token = '' } = this.environment(job);
    return { 'the runtime token': token, 'the signature of an address': this.#blobs.signature };
  }

  /** Makes the service disturb the calls to come. */
  disturb(...faults: readonly Fault[]): void {
    for (const fault of faults) this.faults.add(fault);
  }

  /** Listens again, on the same port, after `hangUp`. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
  }

  /** Stops listening, so that connections are refused. What is stored stays. */
  async hangUp(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.faults.close();
    if (this.#server.listening) await this.hangUp();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = new URL(request.url ?? '/', this.origin);
    const body = await buffer(request);
    const method = request.method ?? 'GET';
    const twirp = /^\/twirp\/github\.actions\.results\.api\.v1\.\w+\/(\w+)$/.exec(address.pathname)?.[1];
    const isOld = address.pathname === '/_apis/artifactcache/cache';
    const blobCall = isOld ? 'artifactcache' : method === 'PUT' ? 'upload' : 'download';
    const call = twirp === undefined ? blobCall : CALLS.get(twirp);
    const parsed = twirp === undefined ? undefined : z.json().parse(JSON.parse(body.toString()));
    const note = (status: number): void => {
      const { authorization } = request.headers;
      this.journal.push({ call: call ?? 'unknown', method, request: parsed, status, authorization });
    };

    const fault = call === undefined ? undefined : await this.faults.strike(call);
    if (fault?.cut === true) {
      note(0);
      response.destroy();
    } else if (fault?.status !== undefined) {
      note(fault.status);
      const headers = { 'content-type': 'application/json', 'x-ms-request-id': '0' };
      const leading = fault.location === undefined ? headers : { ...headers, location: fault.location };
      response.writeHead(fault.status, leading);
      response.end(JSON.stringify({ code: 'unavailable', msg: 'disturbed by the test' }));
    } else if (call === undefined || (twirp === undefined && !isOld)) {
      const blob = call === undefined ? undefined : this.#blobs.open(address);
      note(this.#serveBlob(blob, { method, address, body, fault, request, response }));
    } else {
      const scopes = readCacheScopes(request.headers.authorization);
      const answer: Answer =
        scopes === undefined
          ? { status: 401, body: { code: 'unauthenticated', msg: 'no token' } }
          : isOld
            ? this.#caches.findOld(address.searchParams, scopes, this.origin)
            : this.#answer(call, parsed, scopes);
      note(answer.status);
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
    }
  }

  #answer(call: Call, request: unknown, scopes: readonly CacheScope[]): Answer {
    switch (call) {
      case 'CreateCacheEntry':
        return this.#caches.create(request, scopes, this.origin);
      case 'FinalizeCacheEntryUpload':
        return this.#caches.finalize(request, scopes);
      case 'GetCacheEntryDownloadURL':
        return this.#caches.find(request, scopes, this.origin);
      case 'CreateArtifact':
        return this.#artifacts.create(request, this.origin);
      case 'FinalizeArtifact':
        return this.#artifacts.finalize(request);
      case 'ListArtifacts':
        return this.#artifacts.list(request);
      case 'GetSignedArtifactURL':
        return this.#artifacts.address(request, this.origin);
      case 'DeleteArtifact':
        return this.#artifacts.remove(request);
      default:
        return { status: 404, body: { code: 'bad_route', msg: call } };
    }
  }

  #serveBlob(blob: Blob | undefined, exchange: BlobExchange): number {
    const { method, address, body, fault, request, response } = exchange;
    const finish = (status: number, headers: Record<string, string> = {}, bytes?: Buffer): number => {
      response.writeHead(status, { 'x-ms-request-id': '0', ...headers }).end(bytes);
      return status;
    };
    if (blob === undefined) return finish(403);
    if (method === 'PUT') {
      const contentType = request.headers['x-ms-blob-content-type'];
      const named = typeof contentType === 'string' ? contentType : undefined;
      return finish(this.#blobs.write(blob, address, body, named), { etag: '"0"' });
    }
    if (blob.bytes === undefined) return finish(404);
    const bytes = fault?.damage === true ? damaged(blob.bytes) : blob.bytes;
    const headers = { 'content-type': blob.contentType, 'content-length': String(bytes.length) };
    if (blob.fileName === undefined) return finish(200, headers, bytes);
    return finish(
      200,
      { ...headers, 'content-disposition': `attachment; filename="${blob.fileName}"` },
      bytes,
    );
  }
}

interface BlobExchange {
  readonly method: string;
  readonly address: URL;
  readonly body: Buffer;
  readonly fault: Fault | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}
