import type { EventEmitter } from 'node:events';
import { type ExitCode, exitCodeFor, type StopSignal } from './exit-code.ts';

const SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];

/** Aborts a signal at the first SIGINT or SIGTERM, and ends the process at the second. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #process: EventEmitter;
  readonly #listeners: readonly (readonly [StopSignal, () => void])[];
  #stoppedBy: StopSignal | undefined;

  /**
   * `process` emits the signals. `announce` is called with the first, to report that the run stops. `end` is called at
   * the second with the exit code, and must not return.
   */
  constructor(process: EventEmitter, announce: (signal: string) => void, end: (code: ExitCode) => void) {
    this.#process = process;
    this.#listeners = SIGNALS.map((name) => [
      name,
      () => {
        if (this.#stoppedBy !== undefined) return end(exitCodeFor('incomplete', name));
        this.#stoppedBy = name;
        announce(name);
        this.#controller.abort(new DOMException(`cancelled by ${name}`, 'AbortError'));
      },
    ]);
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first signal, if there was one. */
  get stoppedBy(): StopSignal | undefined {
    return this.#stoppedBy;
  }

  /** Returns the handling of signals to Node. */
  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) this.#process.off(name, listener);
  }
}
