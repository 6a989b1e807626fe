/** The least progress, in bytes. A server could let fewer through in each of a million attempts. */
const PROGRESS_BYTES = 1024 * 1024;

/** Counts the failures of each request of one transfer. Progress resets the counts. */
export class RequestAttempts<Request extends string> {
  readonly #failures = new Map<Request, number>();
  #furthest = 0;

  /** Adds a failure of a request, and returns how many it has now. */
  failed(request: Request): number {
    const count = (this.#failures.get(request) ?? 0) + 1;
    this.#failures.set(request, count);
    return count;
  }

  /**
   * Notes that the transfer has reached a position, and returns whether that is progress over the furthest position
   * before.
   */
  reached(position: number): boolean {
    if (position < this.#furthest + PROGRESS_BYTES) return false;
    this.#furthest = position;
    this.#failures.clear();
    return true;
  }
}
