import { execFileSync } from 'node:child_process';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a program may do besides what it should, as the lines of a shell. */
export const MISBEHAVIOUR = {
  'hangs without a word': 'sleep 300',
  'ignores termination': "trap '' TERM INT HUP; while :; do sleep 300; done",
  'leaves a child that holds its output, and hangs': 'sleep 300 & wait',
  'leaves a child that holds its output, and exits': "sleep 300 & printf '{}'",
  // The child waits until it is released.
  'leaves a child that left its group, and exits': `
mkfifo "$0.away" "$0.release"
setsid sh -c 'echo > "$0.away"; exec cat "$0.release"' "$0" &
read gone < "$0.away"
printf '{}'`,
  'prints without end': 'exec yes',
  'closes its input and says nothing': 'exec <&-; exit 0',
  'kills itself': 'kill -9 $$',
} as const;

export type Misbehaviour = keyof typeof MISBEHAVIOUR;

/** Writes a program that misbehaves into a folder. */
export class MisbehavedProgram {
  readonly file: string;
  readonly #alive: string;

  constructor(folder: string, name: string, misbehaviour: Misbehaviour) {
    this.file = join(folder, name);
    this.#alive = join(folder, `${name}.alive`);
    execFileSync('mkfifo', [this.#alive]);
    // All that it starts inherits the open pipe.
    const script = `#!/bin/sh\nexec 9>'${this.#alive}'\necho started >&9\n${MISBEHAVIOUR[misbehaviour]}\n`;
    writeFileSync(this.file, script, { mode: 0o755 });
  }

  /** `started` is done when it runs, `ended` when neither it nor any process that it started runs any more. */
  watch(): { readonly started: Promise<void>; readonly ended: Promise<string> } {
    const pipe = createReadStream(this.#alive);
    const started = new Promise<void>((resolve) => pipe.once('data', () => resolve()));
    return { started, ended: text(pipe) };
  }
}
