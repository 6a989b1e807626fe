/** How much a `SingleFlight` remembers. */
interface Memory<Result> {
  readonly results: number;
  /**
   * The limit for the total weight of all results, in the unit of `weigh`; without it only their number is limited.
   */
  readonly weight?: number | undefined;
  readonly weigh?: ((result: Result) => number) | undefined;
}

interface Work<Result> {
  readonly result: Promise<Result>;
  weight: number;
}

/**
 * Runs the work for each key only once at a time and remembers the results that were added last. If the work fails, it
 * rejects for all callers that wait for it, and is then forgotten.
 */
export class SingleFlight<Key, Result> {
  readonly #memory: Memory<Result>;
  readonly #works = new Map<Key, Work<Result>>();
  #weight = 0;

  constructor(memory: Memory<Result>) {
    this.#memory = memory;
  }

  /** Returns the result for a key. Calls `work` for it unless the result is known or in progress. */
  get(key: Key, work: () => Promise<Result>): Promise<Result> {
    const known = this.#works.get(key);
    if (known !== undefined) return known.result;
    const begun: Work<Result> = { result: work(), weight: 0 };
    this.#works.set(key, begun);
    begun.result.then(
      (result) => this.#weigh(key, begun, result),
      () => this.#drop(key, begun),
    );
    this.#shrink();
    return begun.result;
  }

  /** Forgets a result. */
  forget(key: Key): void {
    this.#weight -= this.#works.get(key)?.weight ?? 0;
    this.#works.delete(key);
  }

  #weigh(key: Key, work: Work<Result>, result: Result): void {
    if (this.#works.get(key) !== work) return;
    work.weight = this.#memory.weigh?.(result) ?? 0;
    this.#weight += work.weight;
    this.#shrink();
  }

  /** Forgets work that failed, but not newer work for the same key. */
  #drop(key: Key, work: Work<Result>): void {
    if (this.#works.get(key) === work) this.forget(key);
  }

  #shrink(): void {
    const { results, weight = Number.POSITIVE_INFINITY } = this.#memory;
    while (this.#works.size > results || (this.#weight > weight && this.#works.size > 0)) {
      const [oldest] = this.#works.keys();
      if (oldest === undefined) return;
      this.forget(oldest);
    }
  }
}
