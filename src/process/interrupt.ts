import type { EventEmitter } from 'node:events';
import { EXIT, type ExitCode } from './exit-code.ts';

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;

/** Turns the first SIGINT or SIGTERM into an aborted signal, and the second into the end. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #process: EventEmitter;
  readonly #listeners: readonly (readonly [keyof typeof CODES, () => void])[];
  #code: ExitCode | undefined;

  /**
   * `process` sends the signals. `told` is called with the first, to say that the run winds up; `end` with the
   * exit code at the second, and must not return to the run.
   */
  constructor(process: EventEmitter, told: (signal: string) => void, end: (code: ExitCode) => void) {
    this.#process = process;
    this.#listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => [
      name,
      () => {
        if (this.#code !== undefined) return end(CODES[name]);
        this.#code = CODES[name];
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

  /** 130 or 143 once a signal came. */
  get exitCode(): ExitCode | undefined {
    return this.#code;
  }

  /** Leaves signals to Node again. */
  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) this.#process.off(name, listener);
  }
}
