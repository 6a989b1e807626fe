import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Host, parseHost } from '../../../src/registry/oci/reference.ts';
import { type Certificate, LOOPBACK } from '../test-authority.ts';
import type { Login } from '../token-server.ts';
import { type Access, Gate } from './access.ts';
import type { Answer } from './answer.ts';
import { serveStorage } from './blobs.ts';
import { answerEndpoint } from './endpoints.ts';
import { drain, type Exchange } from './exchange.ts';
import { type Fault, type FaultHandle, type FaultRule, Faults } from './faults.ts';
import { answerFrontDoor, BACKEND_PREFIX } from './front-door.ts';
import { Journal, type JournalEntry, type Listener } from './journal.ts';
import { listen, type OpenListener } from './listener.ts';
import type { ListingStyle } from './listing.ts';
import { Manners } from './manners.ts';
import type { Quirks } from './quirks.ts';
import { readRequest } from './request-body.ts';
import { routeOf } from './route.ts';
import { answerOfFault, breakBefore, ConnectionBroken, sendAnswer } from './sending.ts';
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
  /** TLS with a certificate of one's own; `false` for plain HTTP. By default it is TLS with what tests trust. */
  readonly tls?: Certificate | false;
  /** Its port, for people who type it. A free one by default. */
  readonly port?: number | undefined;
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
  readonly #manners = new Manners();
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

  /** Such as `https://127.0.0.1:40123`. */
  get url(): string {
    return this.originOf('registry');
  }

  get host(): Host {
    return parseHost(new URL(this.url).host);
  }

  /** Whether it speaks HTTP without TLS. */
  get isPlain(): boolean {
    return this.#options.tls === false;
  }

  /** The login of its first user; undefined where it wants none. */
  get login(): Login | undefined {
    const [user] = Object.entries(this.#options.access?.users ?? {});
    return user === undefined ? undefined : { username: user[0], password: user[1] };
  }

  /** Returns the address of one of the listeners; throws where the options did not ask for it. */
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

  /** Lets the hours pass after which a limit on pulls begins anew. */
  restPulls(): void {
    this.#manners.rest();
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
    const { tls = LOOPBACK, port = 0 } = this.#options;
    const certificate = tls === false ? undefined : tls;
    this.#listeners.set(listener, await listen(answer, certificate, listener === 'registry' ? port : 0));
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
    await breakBefore(waits, fault, response);
    const replaced = answerOfFault(fault, exchange.url);
    const isEarly = (fault?.kind === 'status' || fault?.kind === 'redirect') && fault.early === true;
    if (replaced !== undefined && !isEarly) await drain(exchange);
    const answer = replaced ?? this.#manners.word(await this.#answer(exchange), exchange, this.quirks);
    await sendAnswer(answer, fault, exchange.entry, response);
  }

  async #answer(exchange: Exchange): Promise<Answer> {
    const { listener, kind } = exchange.entry;
    if (listener === 'storage') return serveStorage(exchange, this.storage, this.quirks);
    if (listener === 'registry' && this.#options.frontDoor === true) {
      return answerFrontDoor(exchange, this.storage, this.originOf('backend'), this.originOf('storage'));
    }
    const unmannered = this.#manners.refuse(exchange, this.quirks);
    if (unmannered !== undefined) return unmannered;
    if (kind === 'token') return this.#gate.issue(exchange);
    const refused = listener === 'backend' ? undefined : this.#gate.refuse(exchange);
    return refused ?? (await this.#perform(exchange));
  }

  #perform(exchange: Exchange): Answer | Promise<Answer> {
    const storageOrigin = this.#listeners.get('storage')?.origin;
    const { storage, uploads, quirks } = this;
    return answerEndpoint(exchange, {
      storage,
      uploads,
      quirks,
      storageOrigin,
      listing: this.#listingStyle(),
    });
  }

  #listingStyle(): ListingStyle {
    const style = this.#options.frontDoor === true ? 'google' : 'plain';
    return { style, ...this.#options.listing };
  }
}

/** Starts a registry on a loopback port. Use it with `await using`, or close it. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const registry = new TestRegistry(options);
  await registry.open();
  return registry;
}
