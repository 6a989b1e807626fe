import type { ClientRequest } from 'node:http';
import { type Duration, formatDuration, seconds } from '../duration.ts';
import { HttpFailure } from './http-failure.ts';

/** The time limits for the phases of a request. */
export interface HttpTimeouts {
  readonly connect: Duration;
  /** From the end of the request to the first byte of the answer. */
  readonly firstByte: Duration;
  /** Without a byte while bytes should flow. An answer may not be slower than a kilobyte a second either. */
  readonly idle: Duration;
}

export const DEFAULT_TIMEOUTS: HttpTimeouts = {
  connect: seconds(30),
  firstByte: seconds(60),
  idle: seconds(60),
};

/**
 * Limits the silence of one request until its answer begins. What is waited for has a limit of its own: the connection,
 * each byte of the request, and the work of the other side once it has the whole request.
 */
export class RequestClock {
  readonly #outgoing: ClientRequest;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `onExpiry` is called with the failure at most once. */
  constructor(
    outgoing: ClientRequest,
    limits: HttpTimeouts,
    host: string,
    onExpiry: (failure: HttpFailure) => void,
  ) {
    this.#outgoing = outgoing;
    const { connect, firstByte, idle } = limits;
    const expire = (after: Duration, what: string) => (): void => {
      if (this.#isOver) return;
      this.stop();
      const message = `${what} within ${formatDuration(after)}`;
      onExpiry(new HttpFailure({ code: 'TIMED_OUT', about: host, message, transient: true }));
    };
    const start = (after: Duration, what: string): void => {
      clearTimeout(this.#timer);
      if (!this.#isOver && after > 0) this.#timer = setTimeout(expire(after, what), after);
    };
    start(connect, 'no connection');
    outgoing.once('socket', (socket) => {
      const connected = (): void => clearTimeout(this.#timer);
      if (socket.connecting) socket.once('connect', connected);
      else connected();
    });
    outgoing.setTimeout(idle, expire(idle, 'not a byte moved'));
    // Servers may answer before that, and then there is nothing to wait for any more.
    outgoing.once('finish', () => {
      outgoing.setTimeout(0);
      start(firstByte, 'no answer');
    });
  }

  /** Stops all clocks, because the answer begins or the request has failed. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#outgoing.setTimeout(0);
  }
}
