import type { ClientRequest } from 'node:http';
import { type Duration, formatDuration, seconds } from '../duration.ts';
import { type AnswerPace, DEFAULT_PACE } from './answer-pace.ts';
import { HttpFailure } from './http-failure.ts';

/**
 * What a server does before it answers: it looks something up (`answer`), may have to fetch content into a cache
 * (`content`), or processes the content of the request (`work`).
 */
export type Awaited = 'answer' | 'content' | 'work';

/** The time limits for the phases of a request. 0 means none. */
export interface HttpTimeouts {
  readonly connect: Duration;
  /** From the end of the request to the first byte of an answer. */
  readonly firstByte: Duration;
  /** The same for content and for work; `firstByte` by default. */
  readonly content?: Duration | undefined;
  readonly work?: Duration | undefined;
  /** How long no byte may move while bytes should. An answer slower than a kilobyte a second times out too. */
  readonly idle: Duration;
  /** For a whole answer that is read into memory; the usual pace by default. */
  readonly pace?: AnswerPace | undefined;
}

export const DEFAULT_TIMEOUTS = {
  connect: seconds(30),
  firstByte: seconds(60),
  // A cold cache may fetch and check a whole layer before it sends the first byte of it.
  content: seconds(300),
  work: seconds(900),
  idle: seconds(60),
  pace: DEFAULT_PACE,
} satisfies HttpTimeouts;

/**
 * Returns the limits that were set, or else the usual ones, in which the limit for work is at least `work`; 0 means no
 * limit.
 */
export function timeoutsWith(work: Duration, set: HttpTimeouts | undefined): HttpTimeouts {
  if (set !== undefined) return set;
  const isShorter = work !== 0 && work < DEFAULT_TIMEOUTS.work;
  return isShorter ? DEFAULT_TIMEOUTS : { ...DEFAULT_TIMEOUTS, work };
}

const UNCONNECTED_HINT =
  'check the address, firewalls on the way and, behind a proxy, HTTPS_PROXY and the proxy itself';

/**
 * Limits the silence of one request until its answer begins. Each phase has a limit of its own: the connection, each byte
 * of the request, and the work of the other side once it has the whole request.
 */
export class RequestClock {
  readonly #outgoing: ClientRequest;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `onExpiry` is called with the failure at most once. */
  constructor(
    outgoing: ClientRequest,
    limits: HttpTimeouts,
    awaited: Awaited,
    host: string,
    onExpiry: (failure: HttpFailure) => void,
  ) {
    this.#outgoing = outgoing;
    const { connect, firstByte, content = firstByte, work = firstByte, idle } = limits;
    const patience: Record<Awaited, Duration> = { answer: firstByte, content, work };
    const expire = (after: Duration, what: string, hint?: string) => (): void => {
      if (this.#isOver) return;
      this.stop();
      const message = `${what} within ${formatDuration(after)}`;
      onExpiry(new HttpFailure({ code: 'TIMED_OUT', about: host, message, hint, transient: true }));
    };
    const start = (after: Duration, what: string, hint?: string): void => {
      clearTimeout(this.#timer);
      if (!this.#isOver && after > 0) this.#timer = setTimeout(expire(after, what, hint), after);
    };
    start(connect, 'no connection', UNCONNECTED_HINT);
    outgoing.once('socket', (socket) => {
      const connected = (): void => clearTimeout(this.#timer);
      // A handshake that trickles moves bytes all the time.
      const isInHandshake = 'secureConnecting' in socket && socket.secureConnecting === true;
      if (isInHandshake) socket.once('secureConnect', connected);
      else if (socket.connecting) socket.once('connect', connected);
      else connected();
    });
    const expireIdle = expire(idle, 'not a byte moved');
    const idled = (): void => {
      // If all bytes so far are sent, the writer of the body waits for its source, which has limits of its own.
      const isWaiting = !outgoing.writableEnded && outgoing.writableLength === 0;
      if (!isWaiting) expireIdle();
      else if (!this.#isOver) outgoing.setTimeout(idle, idled);
    };
    outgoing.setTimeout(idle, idled);
    // Servers may answer earlier. Then there is nothing left to wait for.
    outgoing.once('finish', () => {
      outgoing.setTimeout(0);
      start(patience[awaited], 'no answer');
    });
  }

  /** Stops all clocks, because the answer begins or the request has failed. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#outgoing.setTimeout(0);
  }
}
