import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { type Host, parseHost } from '../../src/registry/oci/reference.ts';
import { listen, type OpenListener } from './registry/listener.ts';
import { LOOPBACK } from './test-authority.ts';

/** One request that went through, in the order of their arrival. */
export interface PassedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** 0 while there is no answer. */
  status: number;
  /** Of the bodies. */
  bytesIn: number;
  bytesOut: number;
}

/** Chooses requests; `when` sees each as it arrives. */
export interface RequestChoice {
  readonly method?: string | readonly string[];
  readonly path?: RegExp;
  readonly status?: number;
}

interface Upstream {
  readonly host: Host;
  readonly isPlain: boolean;
}

const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** Returns whether a request is one of those that are chosen. */
function isChosen({ method, path, status }: RequestChoice, request: PassedRequest): boolean {
  return (
    (method === undefined || [method].flat().includes(request.method)) &&
    (path === undefined || path.test(request.path)) &&
    (status === undefined || request.status === status)
  );
}

interface Gate {
  readonly choice: RequestChoice;
  readonly reached: () => void;
  readonly opened: Promise<void>;
}

/** Requests that are held before they reach the registry. */
export interface Hold {
  /** Resolves when the first of them has arrived. */
  readonly reached: Promise<void>;
  /** Lets them and all later ones go on. */
  release(): void;
}

/**
 * Stands in front of a registry, passes everything on as it is, and remembers every request. Through it a test can
 * count what was asked and stop at a chosen moment.
 */
export class CountingProxy implements AsyncDisposable {
  readonly host: Host;
  readonly requests: PassedRequest[] = [];
  readonly #listener: OpenListener;
  readonly #upstream: Upstream;
  readonly #agent: Agent;
  readonly #gates = new Set<Gate>();

  private constructor(listener: OpenListener, upstream: Upstream) {
    this.#listener = listener;
    this.#upstream = upstream;
    this.#agent = upstream.isPlain ? new Agent({ keepAlive: true }) : new TlsAgent({ keepAlive: true });
    this.host = parseHost(new URL(listener.origin).host);
  }

  /** Opens a way to a registry; where that has TLS, the way to it has TLS too. */
  static async start(upstream: Upstream): Promise<CountingProxy> {
    const opened = Promise.withResolvers<CountingProxy>();
    const listener = await listen(
      (request, response) => void opened.promise.then((proxy) => proxy.#pass(request, response)),
      upstream.isPlain ? undefined : LOOPBACK,
    );
    const proxy = new CountingProxy(listener, upstream);
    opened.resolve(proxy);
    return proxy;
  }

  filter(choice: RequestChoice): PassedRequest[] {
    return this.requests.filter((request) => isChosen(choice, request));
  }

  count(choice: RequestChoice = {}): number {
    return this.filter(choice).length;
  }

  /** Returns the requests that may change something, as `METHOD path`. */
  get writes(): string[] {
    return this.filter({ method: WRITES }).map(({ method, path }) => `${method} ${path}`);
  }

  /** Forgets the past, so that a second run is counted by itself. */
  clear(): void {
    this.requests.length = 0;
  }

  /** Holds all chosen requests from now on. */
  hold(choice: RequestChoice): Hold {
    const reached = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    const gate: Gate = { choice, reached: reached.resolve, opened: opened.promise };
    this.#gates.add(gate);
    const release = (): void => {
      this.#gates.delete(gate);
      opened.resolve();
    };
    return { reached: reached.promise, release };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.#listener.close();
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming;
    const { host, isPlain } = this.#upstream;
    const { pathname, search } = new URL(url, 'http://registry.test');
    const passed: PassedRequest = {
      method,
      path: pathname,
      query: search,
      status: 0,
      bytesIn: 0,
      bytesOut: 0,
    };
    this.requests.push(passed);
    for (const gate of this.#gates) {
      if (!isChosen(gate.choice, passed)) continue;
      gate.reached();
      await gate.opened;
    }
    // Who waited may have gone.
    if (response.destroyed || incoming.destroyed) return;
    // The registry sees the name that the client used, so that the addresses in its answers lead here again.
    const open = isPlain ? request : tlsRequest;
    const outgoing = open(`${isPlain ? 'http' : 'https'}://${host}${url}`, {
      method,
      headers,
      agent: this.#agent,
    });
    incoming.on('data', (piece: Buffer) => {
      passed.bytesIn += piece.length;
    });
    outgoing.on('response', (answer) => {
      passed.status = answer.statusCode ?? 0;
      answer.on('data', (piece: Buffer) => {
        passed.bytesOut += piece.length;
      });
      response.writeHead(passed.status, answer.headers);
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => {
      if (!response.writableFinished) outgoing.destroy();
    });
    incoming.on('error', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }
}
