import { type Duration, formatDuration } from './duration.ts';
import { describeFailure, Failure } from './failure.ts';

/** Ends a run when `--command-timeout` is over, or when an outer signal aborts. */
export class RunDeadline implements Disposable {
  readonly signal: AbortSignal;
  /** In milliseconds since 1970; undefined without a time limit. */
  readonly at: number | undefined;
  readonly #expiry = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;

  /** With a `limit` of 0 there is no time limit. */
  constructor(limit: Duration, outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#expiry.signal]);
    this.at = limit === 0 ? undefined : Date.now() + limit;
    if (limit === 0) return;
    const message = `the time limit of ${formatDuration(limit)} is over`;
    const failure = new Failure({ code: 'COMMAND_TIMED_OUT', about: 'command-timeout', message });
    this.#timer = setTimeout(() => this.#expiry.abort(failure), limit);
  }

  /** Why the run had to end, for people. */
  get reason(): string {
    const reason: unknown = this.signal.reason;
    return reason instanceof Failure ? reason.message : describeFailure(reason);
  }

  /** Ends what the run has left behind, such as a pause before another attempt that is no longer needed. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#expiry.abort(new Error('the run is over'));
  }
}
