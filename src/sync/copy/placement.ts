import type { Placed } from '../../registry/blob-push.ts';

/** Someone who wants a blob to be in a repository. */
export interface Interest {
  readonly signal: AbortSignal;
  /** Told when the transfer begins and ends to hold its slots. */
  readonly onActive: (isActive: boolean) => void;
}

/**
 * The one effort to bring a blob into a repository, shared by all who want it there. It is given up when the last
 * of them has lost interest.
 */
export class Placement {
  readonly #abandonment = new AbortController();
  readonly #interests = new Set<Interest>();
  #isActive = false;
  #isOver = false;
  #work: Promise<Placed> | undefined;

  /** Aborted when nobody is interested any more. */
  get signal(): AbortSignal {
    return this.#abandonment.signal;
  }

  /** Begins the work, once. */
  start(work: () => Promise<Placed>): void {
    this.#work = work();
    const end = (): void => {
      this.#isOver = true;
    };
    // Each who joins sees the failure; without a joiner it is nobody's.
    this.#work.then(end, end);
  }

  /** Passes on to all who are interested whether slots are held. */
  readonly setActive = (isActive: boolean): void => {
    this.#isActive = isActive;
    for (const interest of this.#interests) interest.onActive(isActive);
  };

  /** Waits for the work's end as one more who wants it. Rejects with its failure, or the interest's own reason. */
  async join(interest: Interest): Promise<Placed> {
    const { signal, onActive } = interest;
    signal.throwIfAborted();
    const work = this.#work;
    if (work === undefined) throw new Error('a placement was joined before it started');
    this.#interests.add(interest);
    if (this.#isActive) onActive(true);
    const { promise, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([work, promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      this.#interests.delete(interest);
      if (this.#isActive) onActive(false);
      // Aborting what is over would break the connection that brought it, just as it becomes free.
      if (this.#interests.size === 0 && !this.#isOver) {
        this.#abandonment.abort(
          signal.aborted ? signal.reason : new Error('nobody wants this blob any more'),
        );
      }
    }
  }
}
