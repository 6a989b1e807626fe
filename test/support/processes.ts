import { existsSync, readFileSync } from 'node:fs';

const WITNESS = new URL('./process-witness.js', import.meta.url);

/** Returns the variables with which a Node process writes its arguments, and those of all that it starts, into a file. */
export function witnessed(file: string): Record<string, string> {
  return { NODE_OPTIONS: `--import ${WITNESS.href}`, KEEL_TEST_WITNESS: file };
}

/** Returns the arguments of every process that was witnessed, one a line. */
export function processesIn(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}
