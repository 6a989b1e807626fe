import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { type Answer, empty } from './registry/answer.ts';
import { bytesContent } from './registry/content.ts';
import { type Fault, type FaultHandle, type FaultRule, Faults } from './registry/faults.ts';
import { Journal, type JournalEntry } from './registry/journal.ts';
import { listen, type OpenListener } from './registry/listener.ts';
import { readRequest } from './registry/request-body.ts';
import { answerOfFault, breakBefore, ConnectionBroken, sendAnswer } from './registry/sending.ts';
import { type Certificate, LOOPBACK } from './test-authority.ts';

/** What concerns one connection alone (RFC 9110, 7.6.1), and what is declared anew. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
]);

/**
 * Stands before any service on loopback and passes on what it is asked, as the client wrote it, until a fault of the
 * test registry's vocabulary strikes. All its requests are of the kind `other`: rules choose by path and method.
 */
export class Gateway implements AsyncDisposable {
  readonly journal = new Journal();
  readonly #faults = new Faults();
  readonly #target: URL;
  readonly #listener: OpenListener;

  private constructor(target: URL, listener: OpenListener) {
    this.#target = target;
    this.#listener = listener;
  }

  /**
   * Opens a way to a service, such as `http://127.0.0.1:40123`; where that has TLS, the way to it has TLS too. With a
   * certificate it has TLS in any case.
   */
  static async open(target: string, certificate?: Certificate): Promise<Gateway> {
    const hasTls = new URL(target).protocol === 'https:';
    const opened = Promise.withResolvers<Gateway>();
    const listener = await listen(
      (asked, response) => {
        opened.promise.then((gateway) => gateway.#serve(asked, response)).catch(() => response.destroy());
      },
      certificate ?? (hasTls ? LOOPBACK : undefined),
    );
    const gateway = new Gateway(new URL(target), listener);
    opened.resolve(gateway);
    return gateway;
  }

  /** Such as `http://127.0.0.1:40124`. */
  get url(): string {
    return this.#listener.origin;
  }

  get host(): string {
    return new URL(this.url).host;
  }

  /** Breaks requests from now on. Earlier rules come first. */
  fail(rule: FaultRule): FaultHandle {
    return this.#faults.add(rule);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#listener.close();
  }

  async #serve(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(asked.url ?? '/', this.url);
    const entry: JournalEntry = {
      listener: 'registry',
      connection: asked.socket.remotePort ?? 0,
      kind: 'other',
      method: asked.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: asked.headers,
      repository: '',
      reference: '',
      status: 0,
      bytesIn: 0,
      bytesOut: 0,
      state: 'open',
    };
    this.journal.begin(entry);
    const { waits, fault } = this.#faults.take(entry);
    try {
      await breakBefore(waits, fault, response);
      const body = readRequest(asked, entry, fault);
      const answer = await this.#answer(url, entry, body, fault);
      await sendAnswer(answer, fault, entry, response);
      this.journal.end(entry, 'answered');
    } catch (error) {
      this.journal.end(entry, 'broken');
      response.destroy();
      if (!(error instanceof ConnectionBroken)) throw error;
    } finally {
      asked.resume();
    }
  }

  async #answer(
    url: URL,
    entry: JournalEntry,
    body: AsyncIterable<Buffer>,
    fault: Fault | undefined,
  ): Promise<Answer> {
    const replaced = answerOfFault(fault, url);
    if (replaced === undefined) return this.#forward(entry, `${url.pathname}${url.search}`, body);
    for await (const _ of body);
    return replaced;
  }

  #forward({ method, headers }: JournalEntry, path: string, body: AsyncIterable<Buffer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const open = this.#target.protocol === 'https:' ? tlsRequest : request;
      const onward = open(new URL(this.#target), { method, path, headers, agent: false });
      onward.on('error', () => reject(new ConnectionBroken('the service broke off')));
      onward.on('response', (answer) => {
        readAnswer(answer, method).then(resolve, () => reject(new ConnectionBroken('the service broke off')));
      });
      const pass = async (): Promise<void> => {
        for await (const piece of body) onward.write(piece);
        onward.end();
      };
      pass().catch((error: unknown) => {
        onward.destroy();
        reject(error);
      });
    });
  }
}

async function readAnswer(answer: IncomingMessage, method: string): Promise<Answer> {
  const status = answer.statusCode ?? 0;
  const headers = textHeaders(answer.headers);
  const bytes = await buffer(answer);
  const length = Number(answer.headers['content-length'] ?? bytes.length);
  // What HEAD tells is the length of a body that does not come.
  if (method === 'HEAD') return { status, headers, body: { kind: 'generated', seed: '', size: length } };
  return bytes.length === 0 ? empty(status, headers) : { status, headers, body: bytesContent(bytes) };
}

function textHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}
