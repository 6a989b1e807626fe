import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { Screen } from './screen.ts';

/** A process whose command line, environment and standard input a test chooses, and which keeps what is written. */
export class TerminalProcess extends EventEmitter {
  readonly argv: readonly string[];
  readonly env: Record<string, string | undefined>;
  readonly stdin: Readable;
  readonly stdout = new Screen({});
  readonly stderr = new Screen({});

  constructor(line: readonly string[], env: Readonly<Record<string, string>> = {}, input = '') {
    super();
    this.argv = ['node', 'tool', ...line];
    this.env = { ...env };
    this.stdin = Readable.from([input]);
  }

  exit(code: number): never {
    throw new Error(`exit ${code}`);
  }
}
