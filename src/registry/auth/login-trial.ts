import { seconds } from '../../lib/duration.ts';

/** A request without an answer shows nothing about the login, and must not hold up all others. */
const LONGEST_TRIAL = seconds(5);

/** A request on trial, known by its scopes. */
interface Running {
  readonly request: string;
  readonly ended: Promise<void>;
  readonly end: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Lets one request with a token for our password go first. A token service may issue tokens for a wrong password too, so
 * many repositories would each try it at once.
 */
export class LoginTrial {
  #isAccepted = false;
  #running: Running | undefined;

  /** Whether a token for our password opened anything. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Resolves once the login was accepted, or once no other request is on trial; then this one is on trial. */
  async enter(request: string): Promise<void> {
    while (!this.#isAccepted && this.#running !== undefined && this.#running.request !== request)
      await this.#running.ended;
    if (this.#isAccepted || this.#running !== undefined) return;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.leave(request), LONGEST_TRIAL);
    this.#running = { request, ended, end, timer };
  }

  /** Lets the next request continue, if this one was on trial. */
  leave(request: string): void {
    if (this.#running?.request === request) this.#end();
  }

  /** Lets all requests continue, now and later. */
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
