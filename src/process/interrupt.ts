import type { EventEmitter } from 'node:events';
import { type ExitCode, exitCodeFor, type StopSignal } from './exit-code.ts';

const SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];

/** Turns the first SIGINT or SIGTERM into an aborted signal, and the second into the end. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #process: EventEmitter;
  readonly #listeners: readonly (readonly [StopSignal, () => void])[];
  #stoppedBy: StopSignal | undefined;

  /**
   * `process` sends the signals. `told` is called with the first, to say that the run winds up; `end` with the
   * exit code at the second, and must not return to the run.
   */
  constructor(process: EventEmitter, told: (signal: string) => void, end: (code: ExitCode) => void) {
    this.#process = process;
    this.#listeners = SIGNALS.map((name) => [
      name,
      () => {
        if (this.#stoppedBy !== undefined) return end(exitCodeFor('incomplete', name));
        this.#stoppedBy = name;
        told(name);
        this.#controller.abort(new DOMException(`cancelled by ${name}`, 'AbortError'));
      },
    ]);
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  /** Aborted once a signal came. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first signal that came. */
  get stoppedBy(): StopSignal | undefined {
    return this.#stoppedBy;
  }

  /** Leaves signals to Node again. */
  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) this.#process.off(name, listener);
  }
}
