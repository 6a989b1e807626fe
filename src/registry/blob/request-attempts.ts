/** Bytes that count as progress. Fewer could be what a server lets through of each of a million attempts. */
const PROGRESS_BYTES = 1024 * 1024;

/** Counts how often each of several requests failed that serve one transfer. Progress begins the counts anew. */
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
   * Learns that the transfer has come to a position, and returns whether that is progress: only one that is further than
   * all before is.
   */
  reached(position: number): boolean {
    if (position < this.#furthest + PROGRESS_BYTES) return false;
    this.#furthest = position;
    this.#failures.clear();
    return true;
  }
}
