/**
 * The first request with a token for our password. A token service may give one for a wrong password too, so that many
 * repositories would each try it. Requests are known by their scopes.
 */
export class LoginTrial {
  #isAccepted = false;
  #running: { readonly request: string; readonly ended: Promise<void>; readonly end: () => void } | undefined;

  /** Whether a token for our password opened anything. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Resolves when the login was accepted, or if no other request is on trial. Then this one is. */
  async enter(request: string): Promise<void> {
    while (!this.#isAccepted && this.#running !== undefined && this.#running.request !== request)
      await this.#running.ended;
    if (this.#isAccepted || this.#running !== undefined) return;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#running = { request, ended, end };
  }

  /** Lets the next request go on, if this one was on trial. */
  leave(request: string): void {
    if (this.#running?.request !== request) return;
    this.#running.end();
    this.#running = undefined;
  }

  /** Lets all requests go on, now and later. */
  accept(): void {
    this.#isAccepted = true;
    this.#running?.end();
  }
}
