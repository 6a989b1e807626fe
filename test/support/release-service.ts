import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ReleaseFault, ReleaseJournalEntry, ReleaseOperation } from './release-faults.ts';
import { type Asset, type Release, ReleaseLook } from './release-look.ts';

/** How the stand-in is set up; everything has a default. */
export interface ReleaseServiceSettings {
  readonly token?: string;
  /** `owner/name`. */
  readonly repository?: string;
  /** Whether the token may write, as `permissions: contents: write` grants. */
  readonly mayWrite?: boolean;
  /** Whether assets carry a digest, as github.com's do since 2025 and older servers' do not. */
  readonly tellsDigests?: boolean;
  /** Largest asset; GitHub's limit when left out. */
  readonly assetLimit?: number;
}

const GITHUB_ASSET_LIMIT = 2 ** 31;
const PAGE_SIZE = 30;

const createShape = z.object({
  tag_name: z.string().min(1),
  name: z.string().optional(),
  body: z.string().optional(),
  draft: z.boolean().optional(),
});
const updateShape = createShape.partial();

class Answer extends Error {
  readonly status: number;
  readonly json: unknown;

  constructor(status: number, json: unknown) {
    super(`answered ${status}`);
    this.status = status;
    this.json = json;
  }
}

class Cut extends Error {}

function refuse(status: number, message: string, errors?: readonly object[]): Answer {
  return new Answer(status, { message, ...(errors === undefined ? {} : { errors }) });
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw refuse(400, 'Problems parsing JSON');
  }
}

/** The part of GitHub's REST API that deals with releases, on loopback. Assets are kept in memory: use small ones. */
export class ReleaseService {
  readonly token: string;
  readonly repository: string;
  readonly releases: Release[] = [];
  readonly journal: ReleaseJournalEntry[] = [];
  readonly faults: ReleaseFault[] = [];
  readonly #settings: ReleaseServiceSettings;
  readonly #server: Server;
  #lastId = 100;
  #advertised: string | undefined;

  private constructor(settings: ReleaseServiceSettings) {
    this.token = settings.token ?? 'test-github-token';
    this.repository = settings.repository ?? 'owner/repository';
    this.#settings = settings;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(settings: ReleaseServiceSettings = {}): Promise<ReleaseService> {
    const service = new ReleaseService(settings);
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Makes the addresses in answers lead to another origin, such as that of a gateway in front. */
  advertise(url: string): void {
    this.#advertised = url;
  }

  /** Adds a release as if someone had made it by hand. */
  addRelease(tag: string, more: { body?: string; draft?: boolean } = {}): Release {
    const { body = '', draft = false } = more;
    this.#lastId += 1;
    const release: Release = { id: this.#lastId, tag, name: tag, body, draft, assets: [] };
    this.releases.push(release);
    return release;
  }

  /** Returns the release of a tag. */
  release(tag: string): Release {
    const release = this.releases.find((candidate) => candidate.tag === tag);
    if (release === undefined) throw new Error(`there is no release ${tag}`);
    return release;
  }

  requests(operation: ReleaseOperation): ReleaseJournalEntry[] {
    return this.journal.filter((entry) => entry.operation === operation);
  }

  get #look(): ReleaseLook {
    return new ReleaseLook(
      this.#advertised ?? this.url,
      this.repository,
      this.#settings.tellsDigests !== false,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const url = new URL(request.url ?? '/', this.url);
    const operation = this.#operationOf(request.method ?? 'GET', url);
    const asset = url.searchParams.get('name') ?? undefined;
    const entry: ReleaseJournalEntry = { operation, asset, bytes: 0, status: 0 };
    this.journal.push(entry);
    try {
      const fault = this.#takeFault(operation);
      if (fault?.answer !== undefined) {
        await this.#read(request, entry);
        throw refuse(fault.answer.status, fault.answer.message ?? 'planned fault');
      }
      throw await this.#answer(operation, request, url, entry, fault);
    } catch (error) {
      if (error instanceof Cut || socket.destroyed) {
        socket.destroy();
        return;
      }
      request.resume();
      const answer = error instanceof Answer ? error : refuse(500, String(error));
      entry.status = answer.status;
      if (answer.json instanceof Buffer) response.writeHead(answer.status).end(answer.json);
      else if (answer.json === undefined) response.writeHead(answer.status).end();
      else {
        response.writeHead(answer.status, { 'Content-Type': 'application/json; charset=utf-8' });
        response.end(JSON.stringify(answer.json));
      }
    }
  }

  #operationOf(method: string, url: URL): ReleaseOperation {
    const path = url.pathname;
    if (method === 'GET' && path.startsWith('/download/')) return 'download';
    const base = `/repos/${this.repository}/releases`;
    if (path === `/uploads${base}/${path.split('/').at(-2)}/assets`)
      return method === 'POST' ? 'upload' : 'unknown';
    if (path === base) return method === 'POST' ? 'create' : 'list';
    if (!path.startsWith(`${base}/`)) return 'unknown';
    const rest = path.slice(base.length + 1);
    if (method === 'GET' && rest.startsWith('tags/')) return 'get-by-tag';
    if (method === 'GET' && /^\d+\/assets$/.test(rest)) return 'list-assets';
    if (method === 'PATCH' && /^\d+$/.test(rest)) return 'update';
    return method === 'DELETE' && /^assets\/\d+$/.test(rest) ? 'delete-asset' : 'unknown';
  }

  #takeFault(operation: ReleaseOperation): ReleaseFault | undefined {
    const index = this.faults.findIndex((fault) => fault.operation === operation);
    const fault = this.faults[index];
    if (fault === undefined) return undefined;
    const left = (fault.times ?? 1) - 1;
    if (left <= 0) this.faults.splice(index, 1);
    else fault.times = left;
    return fault;
  }

  async #read(request: IncomingMessage, entry: ReleaseJournalEntry, cutAfter = Number.POSITIVE_INFINITY) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      entry.bytes += chunk.length;
      if (entry.bytes >= cutAfter) throw new Cut();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async #answer(
    operation: ReleaseOperation,
    request: IncomingMessage,
    url: URL,
    entry: ReleaseJournalEntry,
    fault: ReleaseFault | undefined,
  ): Promise<Answer> {
    if (operation === 'download') return this.#download(url);
    if (request.headers.authorization !== `Bearer ${this.token}`) return refuse(401, 'Bad credentials');
    if (request.headers['user-agent'] === undefined) return refuse(403, 'Request forbidden: no User-Agent');
    const writes = request.method !== 'GET';
    if (writes && this.#settings.mayWrite === false) {
      return refuse(403, 'Resource not accessible by integration');
    }
    if (operation === 'upload') return await this.#upload(request, url, entry, fault);
    const body = await this.#read(request, entry);
    const id = Number(url.pathname.match(/\/(\d+)(?:\/assets)?$/)?.[1]);
    switch (operation) {
      case 'get-by-tag': {
        const tag = decodeURIComponent(url.pathname.split('/tags/')[1] ?? '');
        const found = this.releases.find((release) => release.tag === tag && !release.draft);
        return found === undefined ? refuse(404, 'Not Found') : new Answer(200, this.#look.describe(found));
      }
      case 'list':
        return new Answer(
          200,
          page(this.releases.toReversed(), url).map((release) => this.#look.describe(release)),
        );
      case 'create':
        return this.#create(body);
      case 'update':
        return this.#update(id, body);
      case 'list-assets':
        return new Answer(
          200,
          page(this.#byId(id).assets, url).map((asset) => this.#look.describeAsset(asset, id)),
        );
      case 'delete-asset': {
        const owner = this.releases.find((release) => release.assets.some((asset) => asset.id === id));
        if (owner === undefined) return refuse(404, 'Not Found');
        owner.assets.splice(
          owner.assets.findIndex((asset) => asset.id === id),
          1,
        );
        return new Answer(204, undefined);
      }
      default:
        return refuse(404, 'Not Found');
    }
  }

  #byId(id: number): Release {
    const release = this.releases.find((candidate) => candidate.id === id);
    if (release === undefined) throw refuse(404, 'Not Found');
    return release;
  }

  #create(body: Buffer): Answer {
    const wanted = createShape.safeParse(jsonOf(body));
    if (!wanted.success) {
      return refuse(422, 'Invalid request.\n\n"tag_name" wasn\'t supplied.');
    }
    const { tag_name: tag, draft = false } = wanted.data;
    if (!draft && this.releases.some((release) => release.tag === tag && !release.draft)) {
      return refuse(422, 'Validation Failed', [{ code: 'already_exists', field: 'tag_name' }]);
    }
    const release = this.addRelease(tag, { draft, body: wanted.data.body ?? '' });
    release.name = wanted.data.name ?? tag;
    return new Answer(201, this.#look.describe(release));
  }

  #update(id: number, body: Buffer): Answer {
    const release = this.#byId(id);
    const wanted = updateShape.parse(jsonOf(body));
    release.draft = wanted.draft ?? release.draft;
    release.body = wanted.body ?? release.body;
    return new Answer(200, this.#look.describe(release));
  }

  async #upload(
    request: IncomingMessage,
    url: URL,
    entry: ReleaseJournalEntry,
    fault: ReleaseFault | undefined,
  ): Promise<Answer> {
    const release = this.#byId(Number(url.pathname.split('/').at(-2)));
    const name = url.searchParams.get('name') ?? '';
    const size = Number(request.headers['content-length'] ?? Number.NaN);
    if (Number.isNaN(size)) return refuse(411, 'Length required');
    if (size >= (this.#settings.assetLimit ?? GITHUB_ASSET_LIMIT)) {
      return refuse(422, 'Validation Failed', [
        { code: 'custom', message: 'size must be less than 2147483648' },
      ]);
    }
    if (size === 0) return refuse(400, 'Bad Content-Length');
    if (release.assets.some((asset) => asset.name === name)) {
      return refuse(422, 'Validation Failed', [
        { resource: 'ReleaseAsset', code: 'already_exists', field: 'name' },
      ]);
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const starter: Asset = { id, name, state: 'starter', content: Buffer.alloc(0) };
    release.assets.push(starter);
    const content = await this.#read(request, entry, fault?.cutAfter);
    if (fault?.silent === true) {
      await new Promise((resolve) => request.socket.once('close', resolve));
      throw new Cut();
    }
    if (fault?.damage === true) content.writeUInt8(content.readUInt8(0) ^ 1, 0);
    const uploaded: Asset = { id, name, state: 'uploaded', content };
    release.assets.splice(release.assets.indexOf(starter), 1, uploaded);
    return new Answer(201, this.#look.describeAsset(uploaded, release.id));
  }

  #download(url: URL): Answer {
    const [, , id, name] = url.pathname.split('/');
    const release = this.#byId(Number(id));
    const found = release.assets.find((asset) => asset.name === name && asset.state === 'uploaded');
    return found === undefined ? refuse(404, 'Not Found') : new Answer(200, found.content);
  }
}

function page<Item>(items: readonly Item[], url: URL): Item[] {
  const size = Number(url.searchParams.get('per_page') ?? PAGE_SIZE);
  const start = (Number(url.searchParams.get('page') ?? 1) - 1) * size;
  return items.slice(start, start + size);
}
