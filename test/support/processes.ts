import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const WITNESS = new URL('./process-witness.js', import.meta.url);
const END_WITNESS = new URL('./end-witness.js', import.meta.url);

/** Returns the variables with which a Node process writes its arguments, and those of all that it starts, into a file. */
export function witnessed(file: string): Record<string, string> {
  return { NODE_OPTIONS: `--import ${WITNESS.href}`, KEEL_TEST_WITNESS: file };
}

/** Returns the arguments of every process that was witnessed, one a line. */
export function processesIn(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}

/** Returns the arguments with which Node runs a program and writes into a file what would keep the process at its end. */
export function watchedToItsEnd(program: string): string[] {
  return [fileURLToPath(END_WITNESS), program];
}

/** Returns what would have kept a process that was watched to its end, and had the file in `KEEL_TEST_END`. */
export function keptBy(file: string): string[] {
  const kinds = z.array(z.string()).parse(JSON.parse(readFileSync(file, 'utf8')));
  // An immediate ends by itself in the next turn.
  return kinds.filter((kind) => kind !== 'Immediate');
}
