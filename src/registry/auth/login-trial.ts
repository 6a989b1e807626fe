import { seconds } from '../../lib/duration.ts';

/** A request that is not answered says nothing of the login, and must not hold up all others. */
const LONGEST_TRIAL = seconds(5);

/** A request on trial, known by its scopes. */
interface Running {
  readonly request: string;
  readonly ended: Promise<void>;
  readonly end: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * The first request with a token for our password. A token service may give one for a wrong password too, so that many
 * repositories would each try it.
 */
export class LoginTrial {
  #isAccepted = false;
  #running: Running | undefined;

  /** Whether a token for our password opened anything. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Resolves when the login was accepted, or if no other request is on trial, or not any more. Then this one is. */
  async enter(request: string): Promise<void> {
    while (!this.#isAccepted && this.#running !== undefined && this.#running.request !== request)
      await this.#running.ended;
    if (this.#isAccepted || this.#running !== undefined) return;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.leave(request), LONGEST_TRIAL);
    this.#running = { request, ended, end, timer };
  }

  /** Lets the next request go on, if this one was on trial. */
  leave(request: string): void {
    if (this.#running?.request === request) this.#end();
  }

  /** Lets all requests go on, now and later. */
  accept(): void {
    this.#isAccepted = true;
    this.#end();
  }

  #end(): void {
    clearTimeout(this.#running?.timer);
    this.#running?.end();
    this.#running = undefined;
  }
}
