import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConnectionCut, cutAfter } from './cut.ts';
import { type Fault, Faults, type JournalEntry, type Operation } from './faults.ts';
import { parseForm } from './form.ts';
import { describeRegion, manage } from './management.ts';
import { Bucket, contentOf, receive, type StoredObject } from './objects.ts';
import { type Route, routeOf } from './route.ts';
import {
  type Account,
  mayReplace,
  type Policy,
  Refusal,
  verifyDownload,
  verifyManagement,
  verifyScope,
  verifySize,
  verifyUploadToken,
} from './signatures.ts';
import { Uploads } from './uploads.ts';

/** How the stand-in is set up; everything has a default. */
export interface KodoSettings {
  readonly account?: Account;
  /** Bucket names and the region of each; `{ keel: 'z0' }` when left out. */
  readonly buckets?: Readonly<Record<string, string>>;
  /** The region that this server plays; buckets of others are refused as Kodo does. */
  readonly region?: string;
  /** `hashes` forgets content, so that large uploads cost neither memory nor disk. */
  readonly keep?: 'files' | 'hashes';
  /** Milliseconds until an upload in parts expires. */
  readonly uploadLifetime?: number;
  readonly partsPerPage?: number;
  readonly now?: () => number;
  /** Whether it takes what the qiniu package signs for an address with a port; Kodo does not. */
  readonly takesRepeatedPort?: boolean;
}

async function readAll(request: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A Qiniu Kodo on loopback: upload, management, region and download hosts in one, signatures verified. */
export class Kodo {
  readonly account: Account;
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly uploads: Uploads;
  readonly faults = new Faults();
  readonly journal: JournalEntry[] = [];
  readonly #region: string;
  readonly #takesRepeatedPort: boolean;
  readonly #folder: string | undefined;
  readonly #workFolder: string;
  readonly #now: () => number;
  readonly #server: Server;
  #advertised: string | undefined;
  #domains: readonly string[] | undefined;

  private constructor(settings: KodoSettings, workFolder: string) {
    this.account = settings.account ?? { accessKey: 'test-access-key', secretKey: 'test-secret-key' };
    this.#region = settings.region ?? 'z0';
    this.#takesRepeatedPort = settings.takesRepeatedPort ?? false;
    const buckets = Object.entries(settings.buckets ?? { keel: this.#region });
    this.buckets = new Map(buckets.map(([name, region]) => [name, new Bucket(name, region)]));
    this.#now = settings.now ?? Date.now;
    this.uploads = new Uploads({
      lifetime: settings.uploadLifetime ?? 7 * 24 * 3600_000,
      now: this.#now,
      ...(settings.partsPerPage === undefined ? {} : { pageSize: settings.partsPerPage }),
    });
    this.#workFolder = workFolder;
    this.#folder = settings.keep === 'hashes' ? undefined : workFolder;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(settings: KodoSettings = {}): Promise<Kodo> {
    const kodo = new Kodo(settings, await mkdtemp(join(tmpdir(), 'kodo-')));
    await new Promise<void>((resolve) => kodo.#server.listen(0, '127.0.0.1', resolve));
    return kodo;
  }

  /** Host and port. */
  get host(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `127.0.0.1:${address.port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Makes the region query name another host and port, such as that of a proxy in front. */
  advertise(host: string): void {
    this.#advertised = host;
  }

  /** Binds these domains to each bucket, in place of the server itself. */
  bind(...domains: readonly string[]): void {
    this.#domains = domains;
  }

  /** Returns an object; undefined where there is none. */
  object(bucket: string, key: string): StoredObject | undefined {
    return this.buckets.get(bucket)?.objects.get(key);
  }

  /** Returns an object's content in one piece, for small ones. */
  async content(bucket: string, key: string): Promise<Buffer> {
    const object = this.object(bucket, key);
    if (object === undefined) throw new Error(`${bucket} has no ${key}`);
    return readAll(contentOf(object));
  }

  /** Returns the journal's entries of one operation. */
  requests(operation: Operation): JournalEntry[] {
    return this.journal.filter((entry) => entry.operation === operation);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    await rm(this.#workFolder, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://kodo');
    const route = routeOf(request.method ?? 'GET', url);
    const { operation, key, part, uploadId } = route;
    const { socket } = request;
    const port = socket.remotePort;
    const entry: JournalEntry = { operation, key, part, uploadId, bytes: 0, status: 0, port };
    this.journal.push(entry);
    request.on('data', (chunk: Buffer) => {
      entry.bytes += chunk.length;
    });
    request.pause();
    response.setHeader('X-Reqid', `request-${this.journal.length}`);
    const fault = this.faults.take(operation, part);
    try {
      const answer = await this.#faulty(fault, route, request, url, response);
      if (answer === undefined) {
        entry.status = response.statusCode;
        return;
      }
      entry.status = 200;
      response
        .writeHead(200, { 'Content-Type': 'application/json' })
        .end(JSON.stringify(fault?.isNull === true ? null : answer));
    } catch (error) {
      if (error instanceof ConnectionCut || socket.destroyed) {
        socket.destroy();
        return;
      }
      request.resume();
      const refusal = error instanceof Refusal ? error : new Refusal(599, String(error));
      entry.status = refusal.status;
      const headers = { 'Content-Type': 'application/json', ...refusal.headers };
      response.writeHead(refusal.status, headers).end(JSON.stringify({ error: refusal.message }));
    }
  }

  async #faulty(
    fault: Fault | undefined,
    route: Route,
    request: IncomingMessage,
    url: URL,
    response: ServerResponse,
  ): Promise<object | undefined> {
    if (fault?.answer !== undefined) {
      await readAll(request);
      throw new Refusal(fault.answer.status, fault.answer.error ?? 'planned fault', fault.answer.headers);
    }
    if (fault?.silent === true) {
      await readAll(request);
      await new Promise((resolve) => request.socket.once('close', resolve));
      throw new ConnectionCut();
    }
    const cutting = fault?.cutAfter === undefined ? undefined : cutAfter(fault.cutAfter);
    // A failure of the pipeline shows where its end is read.
    if (cutting !== undefined) pipeline(request, cutting).catch(() => {});
    const answer = await this.#answer(route, cutting ?? request, request, url, response);
    if (fault?.loseAnswer === true) throw new ConnectionCut();
    if (fault?.wrongEtag === true) {
      const wrong = 'FnotTheEtagOfAnything0000000';
      return { ...answer, etag: wrong, hash: wrong, md5: '0' };
    }
    return answer;
  }

  async #answer(
    route: Route,
    body: Readable,
    request: IncomingMessage,
    url: URL,
    response: ServerResponse,
  ): Promise<object | undefined> {
    switch (route.operation) {
      case 'query':
        return this.#query(route.bucket, url.searchParams.get('ak') ?? '');
      case 'stat':
      case 'delete':
      case 'list':
      case 'domains':
        verifyManagement(this.account, request, await readAll(body), {
          now: this.#now(),
          takesRepeatedPort: this.#takesRepeatedPort,
        });
        return manage(this.#bucket(route.bucket), route, url, this.#domains ?? [this.host]);
      case 'form':
        return this.#form(request.headers['content-type'] ?? '', await readAll(body));
      case 'download':
        return this.#download(route, request, response);
      case 'unknown':
        throw new Refusal(404, 'not found');
      default:
        return this.#upload(route, body, request, url);
    }
  }

  #bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new Refusal(631, 'no such bucket');
    return bucket;
  }

  #query(name: string, accessKey: string): object {
    if (accessKey !== this.account.accessKey) throw new Refusal(612, 'app/accesskey is not found');
    const bucket = this.#bucket(name);
    return describeRegion(bucket.region, this.#advertised ?? this.host);
  }

  #allow(token: string, bucket: string, key: string | undefined): { policy: Policy; target: Bucket } {
    const policy = verifyUploadToken(this.account, token, this.#now());
    verifyScope(policy, bucket, key);
    const target = this.#bucket(bucket);
    if (target.region !== this.#region) {
      const host = `up-${target.region}.qiniup.com`;
      throw new Refusal(400, `incorrect region, please use ${host}, bucket is: ${bucket}`);
    }
    return { policy, target };
  }

  async #form(contentType: string, body: Buffer): Promise<object> {
    const form = parseForm(contentType, body);
    const token = form.fields.get('token') ?? '';
    const bucket = verifyUploadToken(this.account, token, this.#now()).scope.split(':')[0] ?? '';
    const { policy, target } = this.#allow(token, bucket, form.fields.get('key'));
    if (form.file === undefined) throw new Refusal(400, 'file is not specified in multipart');
    verifySize(policy, form.file.length);
    const part = await receive(Readable.from([form.file]), this.#folder);
    const key = form.fields.get('key') ?? part.etag;
    const common = { key, hash: part.etag, size: part.hash.size, putTime: this.#now() * 10_000 };
    const mimeType = form.fileType ?? 'application/octet-stream';
    target.put({ ...common, mimeType, parts: [part] }, mayReplace(policy));
    return { key, hash: part.etag };
  }

  async #upload(route: Route, body: Readable, request: IncomingMessage, url: URL): Promise<object> {
    const token = /^UpToken (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const { policy, target } = this.#allow(token, route.bucket, route.key);
    if (route.operation === 'init') return this.uploads.open(route.bucket, route.key);
    const uploadId = route.uploadId ?? '';
    const upload = this.uploads.find(uploadId, route.bucket, route.key);
    switch (route.operation) {
      case 'part': {
        const part = await receive(body, this.#folder);
        const declared = request.headers['content-md5'];
        if (declared !== undefined && declared !== part.md5) throw new Refusal(406, 'Content-MD5 mismatch');
        this.uploads.addPart(upload, route.part ?? 0, part);
        return { etag: part.etag, md5: part.md5 };
      }
      case 'list-parts': {
        const marker = Number(url.searchParams.get('part-number-marker') ?? 0);
        return this.uploads.list(upload, uploadId, marker, Number(url.searchParams.get('max-parts') ?? 1000));
      }
      case 'complete': {
        const object = this.uploads.assemble(upload, await readAll(body));
        verifySize(policy, object.size);
        const key = route.key ?? object.hash;
        target.put({ ...object, key }, mayReplace(policy));
        this.uploads.close(uploadId);
        return { hash: object.hash, key };
      }
      default:
        this.uploads.close(uploadId);
        return {};
    }
  }

  async #download(route: Route, request: IncomingMessage, response: ServerResponse): Promise<undefined> {
    verifyDownload(this.account, `${this.url}${request.url ?? ''}`, this.#now());
    const object = this.#bucket(route.bucket).objects.get(route.key ?? '');
    if (object === undefined) throw new Refusal(404, 'Document not found');
    response.writeHead(200, {
      'Content-Length': object.size,
      'Content-Type': object.mimeType,
      ETag: `"${object.hash}"`,
    });
    await pipeline(contentOf(object), response);
  }
}
