import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Host, parseHost } from '../../../src/registry/reference.ts';
import { type Access, Gate } from './access.ts';
import { type Answer, empty, refusal } from './answer.ts';
import { deleteBlob, serveBlob, serveStorage } from './blobs.ts';
import type { Exchange } from './exchange.ts';
import { type Fault, type FaultHandle, type FaultRule, Faults } from './faults.ts';
import { answerFrontDoor, BACKEND_PREFIX } from './front-door.ts';
import { Journal, type JournalEntry, type Listener } from './journal.ts';
import { type Certificate, listen, type OpenListener } from './listener.ts';
import { type ListingStyle, listCatalog, listTags } from './listing.ts';
import { acceptManifest, deleteManifest, refuseReferrers, serveManifest } from './manifests.ts';
import type { Quirks } from './quirks.ts';
import { routeOf } from './route.ts';
import { answerOfFault, ConnectionBroken, sendAnswer, untilClosed } from './sending.ts';
import { Storage } from './storage.ts';
import { Uploads } from './uploads.ts';

export interface RegistryOptions {
  readonly access?: Access;
  readonly listing?: ListingStyle;
  readonly quirks?: Quirks;
  /** Blobs are fetched from another listener, which refuses an Authorization header. */
  readonly redirectBlobs?: boolean;
  /** Reading only, through redirects, as registry.k8s.io. The Google listing is then the default. */
  readonly frontDoor?: boolean;
  /** Uploaded blobs of more bytes are hashed and dropped (by default none). */
  readonly discardAbove?: number;
  /** Share what another test registry holds. */
  readonly storage?: Storage;
  readonly tls?: Certificate;
}

/** A registry inside the test's process that can be watched and broken. */
export class TestRegistry implements AsyncDisposable {
  readonly journal = new Journal();
  readonly storage: Storage;
  readonly uploads: Uploads;
  /** May be changed at any time. */
  quirks: Quirks;
  readonly #options: RegistryOptions;
  readonly #gate: Gate;
  readonly #faults = new Faults();
  readonly #connections = new WeakMap<Socket, number>();
  readonly #listeners = new Map<Listener, OpenListener>();
  #connectionCount = 0;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.storage = options.storage ?? new Storage();
    this.quirks = options.quirks ?? {};
    const { deniedStatus } = this.quirks;
    this.#gate = new Gate({
      ...(deniedStatus === undefined ? {} : { deniedStatus }),
      ...(options.access ?? { mode: 'none' }),
    });
    this.uploads = new Uploads(
      this.storage,
      this.#gate,
      () => this.quirks,
      options.discardAbove ?? Number.POSITIVE_INFINITY,
    );
  }

  /** Such as `http://127.0.0.1:40123`. */
  get url(): string {
    return this.originOf('registry');
  }

  get host(): Host {
    return parseHost(new URL(this.url).host);
  }

  /** Gives the address of one of the listeners; throws where the options did not ask for it. */
  originOf(listener: Listener): string {
    const open = this.#listeners.get(listener);
    if (open === undefined) throw new Error(`this test registry has no ${listener} listener`);
    return open.origin;
  }

  /** Breaks requests from now on. Earlier rules come first. */
  fail(rule: FaultRule): FaultHandle {
    return this.#faults.add(rule);
  }

  /** Ends all faults. */
  heal(): void {
    this.#faults.clear();
  }

  /** Lets time pass for the tokens, without waiting. */
  advanceTokens(milliseconds: number): void {
    this.#gate.advance(milliseconds);
  }

  /** Makes every token that was issued so far invalid. */
  revokeTokens(): void {
    this.#gate.revoke();
  }

  async open(): Promise<void> {
    const { frontDoor = false, redirectBlobs = false } = this.#options;
    await this.#listen('registry');
    if (frontDoor || redirectBlobs) await this.#listen('storage');
    if (frontDoor) await this.#listen('backend');
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(listener: Listener): Promise<void> {
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.#serve(listener, request, response).catch((error: unknown) => {
        // What is wrong inside the stand-in must not look like a fault that a test asked for.
        console.error('test registry:', error);
        response.destroy();
      });
    };
    this.#listeners.set(listener, await listen(answer, this.#options.tls));
  }

  #connectionOf(socket: Socket): number {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    this.#connectionCount += 1;
    this.#connections.set(socket, this.#connectionCount);
    return this.#connectionCount;
  }

  async #serve(listener: Listener, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const origin = this.originOf(listener);
    const scheme = new URL(origin).protocol;
    const url = new URL(request.url ?? '/', `${scheme}//${request.headers.host ?? new URL(origin).host}`);
    const method = request.method ?? 'GET';
    const prefix = listener === 'backend' ? BACKEND_PREFIX : '';
    const inside = new URL(url);
    if (prefix !== '') inside.pathname = url.pathname.replace(`/v2/${prefix}`, '/v2/');
    const entry: JournalEntry = {
      listener,
      connection: this.#connectionOf(request.socket),
      ...routeOf(method, inside),
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      status: 0,
      bytesIn: 0,
      bytesOut: 0,
      state: 'open',
    };
    this.journal.begin(entry);
    const { waits, fault } = this.#faults.take(entry);
    try {
      await this.#exchange(
        { entry, url, prefix, body: readRequest(request, entry, fault) },
        waits,
        fault,
        response,
      );
      this.journal.end(entry, 'answered');
    } catch (error) {
      this.journal.end(entry, 'broken');
      if (!(error instanceof ConnectionBroken)) throw error;
    } finally {
      request.resume();
    }
  }

  async #exchange(
    exchange: Exchange,
    waits: readonly Fault[],
    fault: Fault | undefined,
    response: ServerResponse,
  ): Promise<void> {
    for (const wait of waits) {
      const gone = untilClosed(response);
      if (wait.kind === 'delay') await Promise.race([sleep(wait.milliseconds), gone]);
      if (wait.kind === 'hold') await Promise.race([wait.until, gone]);
      if (response.destroyed) throw new ConnectionBroken('the client left');
    }
    if (fault?.kind === 'reset') {
      response.socket?.resetAndDestroy();
      throw new ConnectionBroken('reset before an answer');
    }
    if (fault?.kind === 'silence' && fault.afterBytes === undefined) {
      await untilClosed(response);
      throw new ConnectionBroken('never answered');
    }
    const replaced = answerOfFault(fault, exchange.url);
    if (replaced !== undefined && !(fault?.kind === 'status' && fault.early === true)) await drain(exchange);
    await sendAnswer(replaced ?? (await this.#answer(exchange)), fault, exchange.entry, response);
  }

  async #answer(exchange: Exchange): Promise<Answer> {
    const { listener, kind } = exchange.entry;
    if (listener === 'storage') return serveStorage(exchange, this.storage, this.quirks);
    if (listener === 'registry' && this.#options.frontDoor === true) {
      return answerFrontDoor(exchange, this.storage, this.originOf('backend'), this.originOf('storage'));
    }
    if (kind === 'token') return this.#gate.issue(exchange);
    const refused = listener === 'backend' ? undefined : this.#gate.refuse(exchange);
    return refused ?? (await this.#perform(exchange));
  }

  async #perform(exchange: Exchange): Promise<Answer> {
    const { storage, quirks } = this;
    const storageOrigin = this.#listeners.get('storage')?.origin;
    switch (exchange.entry.kind) {
      case 'ping':
        return empty(200, { 'docker-distribution-api-version': 'registry/2.0' });
      case 'catalog':
        return listCatalog(exchange, storage);
      case 'tags-list':
        return listTags(exchange, storage, this.#listingStyle(), quirks);
      case 'referrers':
        return refuseReferrers();
      case 'manifest-get':
      case 'manifest-head':
        return serveManifest(exchange, storage, quirks);
      case 'manifest-put':
        return await acceptManifest(exchange, storage, quirks);
      case 'manifest-delete':
        return deleteManifest(exchange, storage, quirks);
      case 'blob-get':
      case 'blob-head':
        return serveBlob(exchange, storage, quirks, storageOrigin);
      case 'blob-delete':
        return deleteBlob(exchange, storage, quirks);
      case 'mount':
      case 'upload-start':
        return this.uploads.start(exchange);
      case 'upload-status':
      case 'upload-patch':
      case 'upload-put':
      case 'upload-delete':
        return await this.uploads.go(exchange);
      default:
        return refusal(404, 'UNSUPPORTED', 'no such endpoint');
    }
  }

  #listingStyle(): ListingStyle {
    const style = this.#options.frontDoor === true ? 'google' : 'plain';
    return { style, ...this.#options.listing };
  }
}

async function* readRequest(
  request: IncomingMessage,
  entry: JournalEntry,
  fault: Fault | undefined,
): AsyncGenerator<Buffer> {
  const limit = fault?.kind === 'reset-request' ? fault.afterBytes : Number.POSITIVE_INFINITY;
  try {
    for await (const piece of request) {
      if (!Buffer.isBuffer(piece)) throw new Error('request bodies come as buffers');
      const kept = piece.subarray(0, Math.min(piece.length, limit - entry.bytesIn));
      entry.bytesIn += kept.length;
      if (kept.length > 0) yield kept;
      if (entry.bytesIn < limit) continue;
      request.socket.resetAndDestroy();
      throw new ConnectionBroken('reset while the request came in');
    }
  } catch (error) {
    if (error instanceof ConnectionBroken || !request.destroyed) throw error;
    throw new ConnectionBroken('the client left', { cause: error });
  }
}

async function drain(exchange: Exchange): Promise<void> {
  for await (const piece of exchange.body) void piece;
}

/** Starts a registry on a free loopback port. Use it with `await using`, or close it. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const registry = new TestRegistry(options);
  await registry.open();
  return registry;
}
