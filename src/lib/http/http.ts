import {
  type Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { formatDuration } from '../duration.ts';
import { Failure } from '../failure.ts';
import { type AnswerPace, DEFAULT_PACE, PaceWatch } from './answer-pace.ts';
import { decoded } from './content-coding.ts';
import { explainNetworkError, HttpFailure } from './http-failure.ts';
import { AgentPool, type CertificateAuthorities, proxyOnTheWay } from './proxy.ts';
import { isOfProxy, proxyRefusal } from './proxy-refusal.ts';
import { requestTarget } from './received-url.ts';
import { type Awaited, DEFAULT_TIMEOUTS, type HttpTimeouts, RequestClock } from './request-clock.ts';

/** An answer that is slower than this for a whole `idle` period has timed out. */
const LEAST_BYTES_PER_SECOND = 1024;

/** How long a connection may take to send the last bytes of a request that was answered before they were sent. */
const REMAINDER_MILLISECONDS = 1000;

/** The most requests that a host has under way: all of its kept connections may turn out to be closed. */
const MOST_STALE_TRIES = 64;

// Created once: recording the stack of an error takes longer than the rest of a small request.
const REQUEST_IS_OVER = new Error('the request is over');
const CLIENT_IS_CLOSED = new Error('the client is closed');

/**
 * Writes the body of a request, from its first byte each time that it is called. It must stop when the signal aborts: the
 * server answered early, or the run ends.
 */
export type BodyWriter = (sink: ClientRequest, signal: AbortSignal) => Promise<void>;

interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | BodyWriter | undefined;
  /**
   * Whether the request must not be sent twice, so that it is not repeated if a kept connection turns out to be closed.
   */
  readonly isOnce?: boolean | undefined;
  /** What the server does before it answers, which decides how long that may take; `answer` by default. */
  readonly awaited?: Awaited | undefined;
  /** Returns whether the file itself has the coding that these headers name, such as a tar.gz: it is then not decoded. */
  readonly isOwnCoding?: ((headers: IncomingHttpHeaders) => boolean) | undefined;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The URL of the request. */
  readonly url: URL;
  /** Not read yet, and not encoded. It must be read or destroyed, otherwise its connection is lost. */
  readonly body: Readable;
  /** How slowly it may arrive if it is read as a whole; undefined for no limit. */
  readonly pace?: AnswerPace | undefined;
}

/** Whose certificates a client trusts. */
export interface HttpTrust {
  readonly authorities?: CertificateAuthorities | undefined;
  /** Hosts, with their ports, whose certificates are not checked. */
  readonly unverified?: readonly string[] | undefined;
}

/** Sends requests over kept connections. It does not follow redirects, add credentials, or retry. */
export class HttpClient {
  readonly #agents: AgentPool;
  readonly #timeouts: HttpTimeouts;
  /** Functions that break off the requests that are under way. */
  readonly #open = new Set<(reason: Error) => void>();

  constructor(settings: HttpTrust & { readonly timeouts?: HttpTimeouts | undefined } = {}) {
    this.#agents = new AgentPool(settings.authorities, settings.unverified);
    this.#timeouts = settings.timeouts ?? DEFAULT_TIMEOUTS;
  }

  /**
   * Sends a request and returns the answer, with its body unread. Throws `HttpFailure`, the error of the body's writer,
   * or the signal's reason.
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    request.signal.throwIfAborted();
    try {
      return await this.#exchange(request, await this.#agents.agentFor(request.url), 0);
    } catch (error) {
      request.signal.throwIfAborted();
      throw error instanceof Failure ? error : explainNetworkError(error, request.url.host);
    }
  }

  /** Breaks off all requests and closes all connections, so that the process can end. */
  close(): void {
    for (const breakOff of this.#open) breakOff(CLIENT_IS_CLOSED);
    this.#agents.close();
  }

  #exchange(request: HttpRequest, agent: Agent, staleTries: number): Promise<HttpAnswer> {
    const { method, url, signal, body, isOnce = false, awaited = 'answer' } = request;
    const isRepeatable = !isOnce && typeof body !== 'function';
    return new Promise((resolve, reject) => {
      const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
      // Compressed answers have another digest and length than their content.
      const headers = { 'accept-encoding': 'identity', ...request.headers };
      const path = requestTarget(url);
      const outgoing = open(url, { method, path, headers, agent, ...this.#agents.trustFor(url) });
      const writing = new AbortController();
      let answered: IncomingMessage | undefined;
      let broken: Error | undefined;
      let isTunnelled = false;
      const explain = (error: Error): Error => {
        if (error instanceof Failure) return error;
        const isBehind = isTunnelled || (url.protocol === 'https:' && outgoing.reusedSocket);
        return explainNetworkError(error, url.host, isBehind ? undefined : proxyOnTheWay(url));
      };
      const breakOff = (reason: Error): void => {
        broken ??= reason;
        (answered ?? outgoing).destroy(reason);
        // A request without a connection would otherwise end only when the proxy has answered.
        outgoing.emit('brokenOff');
      };
      this.#open.add(breakOff);
      const clock = new RequestClock(outgoing, this.#timeouts, awaited, url.host, breakOff);
      const abort = (): void => breakOff(toError(signal.reason));
      signal.addEventListener('abort', abort, { once: true });
      const end = (): void => {
        this.#open.delete(breakOff);
        signal.removeEventListener('abort', abort);
      };
      const settle = (): void => {
        clock.stop();
        writing.abort(REQUEST_IS_OVER);
      };
      outgoing.on('error', (error) => {
        settle();
        end();
        // The server may close kept connections, often all of them, just when a request is sent. The request did not fail.
        const isKept = outgoing.reusedSocket && staleTries < MOST_STALE_TRIES;
        const isStale = answered === undefined && isKept && isRepeatable && isReset(error);
        if (isStale && !signal.aborted) this.#exchange(request, agent, staleTries + 1).then(resolve, reject);
        else reject(explain(broken ?? error));
      });
      outgoing.once('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
        if (statusCode === 200) isTunnelled = true;
        else outgoing.destroy(proxyRefusal(url, statusCode));
      });
      outgoing.on('response', (answer) => {
        answered = answer;
        settle();
        if (isOfProxy(answer)) {
          end();
          answer.destroy();
          return reject(proxyRefusal(url, answer.statusCode ?? 0));
        }
        const rate = method === 'HEAD' ? undefined : this.#watchRate(answer, url.host);
        answer.on('close', () => {
          clearInterval(rate);
          end();
          endConnection(outgoing, typeof body === 'function');
        });
        // The reader of the body gets its errors. Without a listener here, a late error would end the process.
        answer.on('error', () => undefined);
        const isRaw = method === 'HEAD' || request.isOwnCoding?.(answer.headers) === true;
        const content = isRaw ? { headers: answer.headers, body: answer } : decoded(answer);
        const { pace = DEFAULT_PACE } = this.#timeouts;
        resolve({ status: answer.statusCode ?? 0, url, pace, ...content });
      });
      if (typeof body !== 'function') outgoing.end(body);
      else {
        body(outgoing, writing.signal).catch((error: unknown) => {
          if (!writing.signal.aborted) outgoing.destroy(toError(error));
        });
      }
    });
  }

  #watchRate(answer: IncomingMessage, host: string): NodeJS.Timeout {
    const { idle } = this.#timeouts;
    const { socket } = answer;
    let before = socket.bytesRead;
    return setInterval(() => {
      const moved = socket.bytesRead - before;
      before = socket.bytesRead;
      // If bytes wait to be read, the receiving end of a copy is the slow one, and it has limits of its own.
      if (answer.readableLength > 0 || (moved * 1000) / idle >= LEAST_BYTES_PER_SECOND) return;
      const message = `it sent only ${moved} bytes within ${formatDuration(idle)}`;
      answer.destroy(new HttpFailure({ code: 'TIMED_OUT', about: host, message, transient: true }));
    }, idle);
  }
}

/**
 * Ends the connection of a request that was answered before all of it was sent. The rest of a streamed body never
 * comes, so nothing else would end the connection. Other bodies are on their way, and the connection may be used again.
 */
function endConnection(outgoing: ClientRequest, isStreamed: boolean): void {
  if (outgoing.writableFinished || outgoing.destroyed) return;
  if (isStreamed) return void outgoing.destroy();
  const timer = setTimeout(() => outgoing.destroy(), REMAINDER_MILLISECONDS);
  for (const end of ['finish', 'close']) outgoing.once(end, () => clearTimeout(timer));
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/**
 * Reads a body into memory and returns its bytes. Returns undefined and closes the connection if there are more than
 * `limit` bytes. Throws `HttpFailure` if the body breaks off or comes too slowly.
 */
export async function readBody(answer: HttpAnswer, limit: number): Promise<Buffer | undefined> {
  const { body, pace, url } = answer;
  const parts: Buffer[] = [];
  let length = 0;
  using watch = pace && new PaceWatch(pace, url.host, (failure) => body.destroy(failure));
  try {
    for await (const part of body) {
      if (!Buffer.isBuffer(part)) continue;
      length += part.length;
      watch?.count(part.length);
      if (length > limit) {
        body.destroy();
        return undefined;
      }
      parts.push(part);
    }
  } catch (error) {
    throw explainNetworkError(error, url.host);
  }
  return Buffer.concat(parts, length);
}

/** Discards the body of an answer. A short body is read to its end, so that its connection can be used again. */
export function discardBody(answer: HttpAnswer): void {
  const length = Number(answer.headers['content-length'] ?? Number.NaN);
  // An answer to HEAD is complete, although it has the length of a body in its headers.
  const isComplete = answer.body instanceof IncomingMessage && answer.body.complete;
  if (isComplete || length <= 65_536) answer.body.resume();
  else answer.body.destroy();
}
