/**
 * Does the work for each key once at a time and remembers what came of it, the most recently added `limit` results
 * only. A failure is told to all who waited and then forgotten.
 */
export class Once<Key, Result> {
  readonly #limit: number;
  readonly #results = new Map<Key, Promise<Result>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Gives the result for a key, from `work` unless it is known or under way. */
  get(key: Key, work: () => Promise<Result>): Promise<Result> {
    const known = this.#results.get(key);
    if (known !== undefined) return known;
    const result = work();
    this.#results.set(key, result);
    result.catch(() => this.#results.delete(key));
    const [oldest] = this.#results.keys();
    if (this.#results.size > this.#limit && oldest !== undefined) this.#results.delete(oldest);
    return result;
  }

  /** Forgets a result. */
  forget(key: Key): void {
    this.#results.delete(key);
  }
}
